import { addressProblem } from '../address.js';

const ADDRESS = /[A-Za-z0-9!#$%&'*+/=?^_{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?/g;
const MAX_TEXT = 20_000;

/** Addresses in a text, in order, without repeats (case apart). */
export function findAddresses(text: string): string[] {
  const found = new Map<string, string>();
  for (const [match] of text.slice(0, MAX_TEXT).matchAll(ADDRESS)) {
    const address = match.replace(/^[.'=/]+/, '').replace(/^(?:mailto|smtp|rfc822|imceaex)[:;-]/i, '');
    if (addressProblem(address) === null && !found.has(address.toLowerCase()))
      found.set(address.toLowerCase(), address);
  }
  return [...found.values()];
}

/**
 * An address from a recipient field of a report: `rfc822;user@host`, `<user@host>`, `rfc822; "user@host"`; xtext
 * (RFC 3461 4) is undone.
 * @returns null when there is none
 */
export function addressOfField(field: string): string | null {
  const text = field.replace(/^\s*[a-z0-9-]{1,20}\s*;/i, '').replace(/\+(2B|3D)/g, (_all, hex: string) => {
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
  return findAddresses(text)[0] ?? null;
}

/** Compared as addresses are: case apart. */
export function sameAddress(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
