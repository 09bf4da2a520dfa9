import { describeError } from '@postloop/contracts';
import type { Draw, Drawn, SendLimit } from '@postloop/db';
import type { Logger } from '@postloop/service-kit';

/** Between two draws, so that a limit that is reached costs the database little. */
const DRAW_PAUSE_MS = 50;
/** So long places stay here that nothing uses; then others may have them. */
const IDLE_MS = 500;

interface Scope {
  limit: SendLimit;
  /** Drawn and not used. */
  permits: number;
  /** That may be in use until the next draw, and no longer than they are leased. */
  places: number;
  leasedUntil: number;
  inUse: number;
  /** The most that were in use since the last draw: so many are kept. */
  peak: number;
  /** Mails that asked in vain since the last draw. */
  lacking: number;
}

export type DrawLimits = (draws: readonly Draw[]) => Promise<Drawn[]>;

/**
 * This worker's side of the limits that all workers keep together in PostgreSQL: it draws permits and places for what it has
 * to send, a few times a second whatever the number of mails, and hands them out. Without PostgreSQL nothing limited goes out,
 * as nothing else does.
 */
export class Limits implements AsyncDisposable {
  readonly #scopes = new Map<string, Scope>();
  readonly #listeners = new Set<() => void>();
  #drawing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = 0;
  #closed = false;

  /** @param leaseMs after which the places of a worker that fell silent are free; drawn anew three times within it */
  constructor(
    private readonly draw: DrawLimits,
    private readonly leaseMs: number,
    private readonly log: Pick<Logger, 'warn'>,
    /** Milliseconds of a clock that goes on while the process is stopped. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Makes a limit known, or changes it. */
  set(limit: SendLimit): void {
    const scope = this.#scopes.get(limit.scope);
    if (scope) scope.limit = limit;
    else this.#scopes.set(limit.scope, { limit, permits: 0, places: 0, leasedUntil: 0, inUse: 0, peak: 0, lacking: 0 });
  }

  /** Called when there may be more than at the last question. */
  onMore(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Waits for a place in all these scopes. @returns false when it was given up */
  async acquire(scopes: readonly string[], signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (this.take(scopes, 1) === 1) return true;
      await new Promise<void>((resolve) => {
        const awake = () => {
          this.#listeners.delete(awake);
          signal.removeEventListener('abort', awake);
          resolve();
        };
        this.#listeners.add(awake);
        signal.addEventListener('abort', awake);
      });
    }
    return false;
  }

  /** More is in use than this worker may have by now: others wait for their share. */
  isOver(scopes: readonly string[]): boolean {
    return this.#known(scopes).some((scope) => scope.limit.places !== null && scope.inUse > this.#leased(scope));
  }

  /** How many of `wanted` mails that count in all these scopes may go now; they hold their places until `leave`. */
  take(scopes: readonly string[], wanted: number): number {
    if (scopes.length === 0) return wanted;
    const known = this.#known(scopes);
    const granted = Math.max(0, Math.min(wanted, ...known.map((scope) => this.#free(scope))));
    for (const scope of known) {
      if (scope.limit.mailsPerSecond !== null) scope.permits -= granted;
      scope.inUse += granted;
      scope.peak = Math.max(scope.peak, scope.inUse);
      // In all of them: what is granted in one now must still be there when the other has something.
      scope.lacking = Math.max(scope.lacking, wanted - granted);
    }
    if (granted < wanted) this.#drawSoon(DRAW_PAUSE_MS);
    return granted;
  }

  /** It did not go out: permit and place are free again. */
  giveBack(scopes: readonly string[]): void {
    for (const scope of this.#known(scopes)) if (scope.limit.mailsPerSecond !== null) scope.permits += 1;
    this.leave(scopes);
  }

  /** It went out and has its answer. */
  leave(scopes: readonly string[]): void {
    const known = this.#known(scopes);
    for (const scope of known) scope.inUse -= 1;
    if (known.some(({ lacking }) => lacking > 0)) this.#tell();
    if (known.some(isIdle)) this.#drawSoon(IDLE_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#drawing;
  }

  #known(scopes: readonly string[]): Scope[] {
    return scopes.flatMap((name) => this.#scopes.get(name) ?? []);
  }

  /** Mails of this scope that may go at once. */
  #free(scope: Scope): number {
    return Math.min(
      scope.limit.mailsPerSecond === null ? Number.POSITIVE_INFINITY : scope.permits,
      scope.limit.places === null ? Number.POSITIVE_INFINITY : this.#leased(scope) - scope.inUse,
    );
  }

  /** A worker that stood still may have lost its places to others. */
  #leased({ places, leasedUntil }: Scope): number {
    return this.now() < leasedUntil ? places : 0;
  }

  /** The sooner of two requests counts. */
  #drawSoon(afterMs: number): void {
    if (this.#closed || this.#drawing) return;
    const at = this.now() + afterMs;
    if (this.#timer && this.#timerAt <= at) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#drawing = this.#round().finally(() => {
        this.#drawing = undefined;
        this.#goOn();
      });
    }, afterMs);
    this.#timer.unref();
  }

  /** Asks again while something lacks. Leases are kept while something is in use, and given back after that. */
  #goOn(): void {
    const scopes = [...this.#scopes.values()];
    // Not in step with other workers, so that two who want the same do not go on meeting.
    if (scopes.some(({ lacking }) => lacking > 0)) this.#drawSoon(DRAW_PAUSE_MS * (0.5 + Math.random()));
    else if (scopes.some(isIdle)) this.#drawSoon(IDLE_MS);
    else if (scopes.some(({ limit, inUse }) => limit.places !== null && inUse > 0)) this.#drawSoon(this.leaseMs / 3);
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /**
   * What counts in two limits may have got one and not the other. It keeps neither until the next round: a worker that holds
   * the one and another that holds the other would wait for each other for ever.
   */
  async #round(): Promise<void> {
    await this.#draw([...this.#scopes.values()].filter(isActive), true);
    this.#tell();
    const unusable = [...this.#scopes.values()].filter(
      ({ limit, lacking, inUse, places }) => limit.places !== null && lacking > 0 && places > inUse,
    );
    if (unusable.length > 0) await this.#draw(unusable, false);
  }

  async #draw(scopes: readonly Scope[], more: boolean): Promise<void> {
    const askedAt = this.now();
    const draws = scopes.map((scope): Draw => {
      const { limit, permits, inUse } = scope;
      const lacking = more ? scope.lacking : 0;
      const wanted = more ? scope.peak + lacking : inUse;
      if (more) scope.lacking = 0;
      scope.peak = inUse;
      // What is said to be free here may be given to others before the answer comes.
      scope.places = Math.min(scope.places, inUse);
      return { ...limit, permits: Math.max(0, lacking - permits), inUse, wanted };
    });
    try {
      for (const { scope: name, permits, places } of await this.draw(draws)) {
        const scope = this.#scopes.get(name);
        if (!scope) continue;
        scope.permits += permits;
        scope.places = places;
        scope.leasedUntil = askedAt + this.leaseMs;
      }
    } catch (error) {
      this.log.warn({ error: describeError(error) }, 'limits cannot be drawn from; limited mails wait');
    }
  }
}

const isIdle = ({ limit, inUse, places }: Scope): boolean => limit.places !== null && inUse === 0 && places > 0;

const isActive = ({ lacking, inUse, places }: Scope): boolean => lacking + inUse + places > 0;
