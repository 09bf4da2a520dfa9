import { Problem } from './problem.js';

/** Options of the commands that list. */
export interface ListOptions {
  client?: string;
  limit: string;
}

const MOST = 10_000;

/** @throws Problem */
export function listLimit({ limit }: ListOptions): number {
  return wholeNumber(limit, '--limit', 1, MOST);
}

/** A number as a person types it. @throws Problem */
export function wholeNumber(text: string, option: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new Problem(`${option} ${text} is no number from ${least} to ${most}`, 'Write a whole number.', 2);
}
