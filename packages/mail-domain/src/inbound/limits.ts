/** How much of a message is looked at. What lies beyond a limit is left out and named in `InboundReport.gaveUpOn`. */
export interface InboundLimits {
  /** Bytes of the message that are read at all. */
  maxBytes: number;
  /** MIME entities inside one another; the message itself is 1. */
  maxDepth: number;
  /** MIME entities in all. */
  maxParts: number;
  /** Recipients that one report speaks of. */
  maxRecipients: number;
  /** Bytes of one line; the rest of a longer line is skipped. */
  maxLineLength: number;
  /** Bytes of all header blocks together. */
  maxHeaderBytes: number;
  /** Milliseconds for one message. */
  timeBudgetMs: number;
}

/** Generous for what mail servers send, far below what would be felt. */
export const DEFAULT_INBOUND_LIMITS: InboundLimits = {
  maxBytes: 4_000_000,
  maxDepth: 12,
  maxParts: 200,
  maxRecipients: 100,
  maxLineLength: 20_000,
  maxHeaderBytes: 512_000,
  timeBudgetMs: 1_000,
};

/** What was not read to its end. */
export type GivenUp = 'size' | 'depth' | 'parts' | 'recipients' | 'line_length' | 'header_size' | 'time';

/** One message's use of its limits. */
export interface Budget {
  readonly limits: InboundLimits;
  readonly gaveUpOn: Set<GivenUp>;
  /** False once the time is over; says so in `gaveUpOn`. */
  hasTime: () => boolean;
}

/** @param now a clock in milliseconds that does not jump */
export function createBudget(limits: InboundLimits, now: () => number): Budget {
  const gaveUpOn = new Set<GivenUp>();
  const deadline = now() + limits.timeBudgetMs;
  const hasTime = (): boolean => {
    if (now() <= deadline) return true;
    gaveUpOn.add('time');
    return false;
  };
  return { limits, gaveUpOn, hasTime };
}
