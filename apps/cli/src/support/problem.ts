import { ConfigError } from '@postloop/service-kit';

/** 0 ok, 1 failed, 2 used or configured wrongly. */
export type ExitCode = 0 | 1 | 2;

/** Something that keeps a command from doing its work, and what the person can do about it. */
export class Problem extends Error {
  override name = 'Problem';
  constructor(
    message: string,
    readonly remedy: string,
    readonly exitCode: ExitCode = 1,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Problem) return error.exitCode;
  return error instanceof ConfigError ? 2 : 1;
}

/** An ID as a person types it. @throws Problem */
export function parseId(text: string, what: string): bigint {
  if (/^[1-9]\d{0,18}$/.test(text)) return BigInt(text);
  throw new Problem(`"${text}" is no ID of ${what}`, 'Give the decimal number that the list shows.', 2);
}
