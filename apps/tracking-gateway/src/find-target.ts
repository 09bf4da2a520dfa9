import type { Clock } from '@postloop/contracts';
import type { LinkTarget } from '@postloop/db';
import { within } from './deadline.js';
import type { LinkBook } from './link-book.js';

/** `unknown`: there is no such link. `unavailable`: nobody can say at the moment. */
export type FoundTarget = { state: 'known'; url: string } | { state: 'unknown' } | { state: 'unavailable' };

export type FindTarget = (mailingId: bigint, ordinal: number) => Promise<FoundTarget>;

export interface FindTargetOptions {
  book: LinkBook;
  selectOfMailing: (mailingId: bigint) => Promise<LinkTarget[]>;
  clock: Clock;
  /** How long somebody who clicked waits for the database, in milliseconds. */
  timeoutMs: number;
}

/** Finds where a static link leads: from memory, else with one look-up for all who wait for the same mailing. */
export function createFindTarget({ book, selectOfMailing, clock, timeoutMs }: FindTargetOptions): FindTarget {
  const running = new Map<bigint, Promise<void>>();

  async function lookUp(mailingId: bigint): Promise<void> {
    book.learn(await selectOfMailing(mailingId), clock.now().getTime());
  }

  function shareLookUp(mailingId: bigint): Promise<void> {
    const shared = running.get(mailingId) ?? lookUp(mailingId).finally(() => running.delete(mailingId));
    running.set(mailingId, shared);
    return shared;
  }

  return async (mailingId, ordinal) => {
    const known = book.find(mailingId, ordinal);
    if (known !== undefined) return toFound(known);
    try {
      await within(shareLookUp(mailingId), timeoutMs, 'database');
    } catch {
      return { state: 'unavailable' };
    }
    return toFound(book.find(mailingId, ordinal) ?? null);
  };
}

/** The URL of a personalised link is a template: whoever lost the sealed part of the link gets nowhere with it. */
function toFound(target: LinkTarget | null): FoundTarget {
  return target && !target.personalised ? { state: 'known', url: target.url } : { state: 'unknown' };
}
