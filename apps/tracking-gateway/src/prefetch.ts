/** A request for a link of a mail, as far as it matters for what is made of it. */
export interface Visit {
  method: string;
  headers: NodeJS.Dict<string | string[]> & { 'user-agent'?: string | undefined };
}

export const LOOK_AHEAD_FIELDS = ['sec-purpose', 'purpose', 'x-moz'] as const;

/**
 * Whether somebody acts, or a program only looks ahead: HEAD, or a browser that fetches what might be clicked next
 * (Sec-Purpose: https://fetch.spec.whatwg.org/#sec-purpose-header; Purpose and X-Moz are its forerunners).
 */
export function isLookAhead({ method, headers }: Visit): boolean {
  if (method === 'HEAD') return true;
  return LOOK_AHEAD_FIELDS.some((name) => name in headers && /\bprefetch\b/i.test(String(headers[name])));
}
