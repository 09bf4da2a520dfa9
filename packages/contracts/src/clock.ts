/** Where the time comes from. Tests hand in their own; the system clock is never set. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };
