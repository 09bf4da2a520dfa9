import type { LinkTarget } from '@postloop/db';

interface Page {
  links: Map<number, LinkTarget>;
  learnedAtMs: number;
}

/** The click targets that are known without the database, by mailing and ordinal. */
export class LinkBook {
  /** In the order of learning. */
  readonly #mailings = new Map<bigint, Page>();
  readonly #onLearned: (targets: readonly LinkTarget[], nowMs: number) => void;

  /** `onLearned` is told the links that were new. */
  constructor(onLearned: (targets: readonly LinkTarget[], nowMs: number) => void = () => undefined) {
    this.#onLearned = onLearned;
  }

  /** All links of the mailings that occur in it. The links of a mailing never change, so the first ones stay. */
  learn(targets: readonly LinkTarget[], nowMs: number): void {
    const fresh = new Map<bigint, Page>();
    for (const target of targets) {
      if (this.#mailings.has(target.mailingId)) continue;
      const page = fresh.get(target.mailingId) ?? { links: new Map(), learnedAtMs: nowMs };
      page.links.set(target.ordinal, target);
      fresh.set(target.mailingId, page);
    }
    for (const [mailingId, page] of fresh) this.#mailings.set(mailingId, page);
    if (fresh.size > 0)
      this.#onLearned(
        [...fresh.values()].flatMap(({ links }) => [...links.values()]),
        nowMs,
      );
  }

  /** Takes up what an earlier life had learned. */
  recall(known: readonly { target: LinkTarget; learnedAtMs: number }[]): void {
    for (const { target, learnedAtMs } of known) {
      const page = this.#mailings.get(target.mailingId) ?? { links: new Map(), learnedAtMs };
      page.links.set(target.ordinal, target);
      this.#mailings.set(target.mailingId, page);
    }
  }

  /** The target; null when the mailing is known and has no such link; undefined when the mailing is not known. */
  find(mailingId: bigint, ordinal: number): LinkTarget | null | undefined {
    const page = this.#mailings.get(mailingId);
    return page && (page.links.get(ordinal) ?? null);
  }

  /** Drops what was learned before: who clicks on it later is served by a look-up. */
  forget(beforeMs: number): void {
    for (const [mailingId, page] of this.#mailings) {
      if (page.learnedAtMs >= beforeMs) return;
      this.#mailings.delete(mailingId);
    }
  }

  get size(): number {
    return this.#mailings.size;
  }
}
