import type { ExportRun } from './export.js';

/** What has after < ticket <= upTo. */
export interface TicketSlice {
  after: bigint;
  upTo: bigint;
}

/** Few enough to be sorted in memory, enough to be worth a look at all recipients. */
const ROWS = 400_000;
/** Of the first slices, in tickets: a ticket has one event, or some hundreds. */
const FIRST_WIDTH = 500;
const GROWTH = 8;

/** Cuts the tickets of a run, from first to last, into slices of about 400,000 rows: each as wide as those before it say. */
export class TicketSlices {
  readonly #end: bigint;
  #after: bigint;
  #width: bigint;

  /** @param sliced false: all in one */
  constructor({ fromTicket, toTicket }: Pick<ExportRun, 'fromTicket' | 'toTicket'>, sliced = true) {
    this.#after = fromTicket;
    this.#end = toTicket;
    this.#width = sliced ? BigInt(FIRST_WIDTH) : toTicket - fromTicket;
  }

  /** The next one; undefined at the end. */
  next(): TicketSlice | undefined {
    const after = this.#after;
    if (after >= this.#end) return undefined;
    this.#after += this.#width;
    if (this.#after > this.#end) this.#after = this.#end;
    return { after, upTo: this.#after };
  }

  /** Tells how many rows a slice had. */
  held({ after, upTo }: TicketSlice, rows: number): void {
    const wider = Math.min(GROWTH, ROWS / Math.max(rows, 1));
    this.#width = BigInt(Math.max(1, Math.floor(Number(upTo - after) * wider)));
  }
}
