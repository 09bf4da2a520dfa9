import type { IncomingHttpHeaders } from 'node:http';

const LOOKS_AHEAD = ['sec-purpose', 'purpose', 'x-moz'] as const;

/**
 * Whether somebody acts, or a program only looks ahead: HEAD, or a browser that fetches what might be clicked next
 * (Sec-Purpose: https://fetch.spec.whatwg.org/#sec-purpose-header; Purpose and X-Moz are its forerunners).
 */
export function isLookAhead(request: { method: string; headers: IncomingHttpHeaders }): boolean {
  if (request.method === 'HEAD') return true;
  return LOOKS_AHEAD.some((name) => name in request.headers && /\bprefetch\b/i.test(String(request.headers[name])));
}
