import { addressProblem, normaliseAddress } from '@postloop/mail-domain';

/** What a blocklist line means: one address, or all that a pattern fits (`*` any text, `?` one character). */
export type SuppressionEntry = { address: string } | { pattern: string };

const MAX_PATTERN = 254;

/**
 * Reads an entry as people write it; white space around it and its case do not matter.
 * @returns what is wrong with it as a text: neither an address nor a pattern, or a pattern that fits everybody
 */
export function readSuppressionEntry(text: string): SuppressionEntry | string {
  const entry = normaliseAddress(text);
  if (!/[*?]/.test(entry)) {
    const problem = addressProblem(entry);
    return problem === null ? { address: entry } : problem;
  }
  if (entry.length > MAX_PATTERN) return `is longer than ${MAX_PATTERN} characters`;
  if (/[^\x21-\x7e]/.test(entry)) return 'holds characters that no address has';
  if (entry.split('@').length > 2) return 'has more than one @';
  // "*", "*@*", "*.*": a slip that would silence a client altogether.
  if (!/[a-z0-9]/.test(entry)) return 'fits every address';
  return { pattern: entry.replace(/\*+/g, '*') };
}
