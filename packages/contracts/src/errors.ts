/** No repetition will help: the job ends, what it was about is marked failed. */
export class PermanentError extends Error {
  override name = 'PermanentError';
}

/** Not now: the job comes back after `delayMs` without using up an attempt. */
export class RetryLater extends Error {
  override name = 'RetryLater';
  constructor(
    readonly delayMs: number,
    why: string,
  ) {
    super(why);
  }
}

/** Tells what was thrown in one line, whatever it is. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(describeError).join('; ');
  return error instanceof Error ? error.message || error.name : String(error);
}
