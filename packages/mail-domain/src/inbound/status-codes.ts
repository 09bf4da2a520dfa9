/** Codes as they stand in what a server said. */
export interface ServerCodes {
  statusCode: string | null;
  smtpReply: string | null;
}

/** Neither part of an address (`192.0.2.5`) nor of a version (`v4.6.1`). */
const ENHANCED = /(?<![\w.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]\d|\d)/g;
/** A reply code opens a line or a sentence, or follows what names it; a number in the middle of a text is none. */
const REPLY =
  /(?:^|[\n:;"'>]\s{0,10}|\b(?:said|response|error|replied|reply|code|state|status|server|smtp|was|returned)\b[^\n\d]{0,20}|[([]#?)([245][0-5]\d)(?=[ \-\n:;,)\]#"']|$)/gim;
const MAX_TEXT = 10_000;
const MAX_CODES = 50;

/** @returns the first codes in the text: of a refusal before those of a success, one that says something before `5.0.0` */
export function findServerCodes(text: string): ServerCodes {
  const part = text.slice(0, MAX_TEXT);
  const codes = [...part.matchAll(ENHANCED)].slice(0, MAX_CODES).map(([code]) => code);
  const replies = [...part.matchAll(REPLY)].slice(0, MAX_CODES).map(([, code = '']) => code);
  const refusals = codes.filter(refuses);
  return {
    statusCode: refusals.find(saysMore) ?? refusals[0] ?? codes[0] ?? null,
    smtpReply: replies.find(refuses) ?? replies[0] ?? null,
  };
}

function refuses(code: string): boolean {
  return !code.startsWith('2');
}

/** True unless the code only gives its class (`5.0.0`). */
export function saysMore(statusCode: string): boolean {
  return !/^\d\.0\.0$/.test(statusCode);
}

/** @param field a Status field of a delivery report: `5.1.1 (bad address)`, or worse */
export function statusOfField(field: string): string | null {
  return /^\s*([245]\.\d{1,3}\.\d{1,3})(?!\d)/.exec(field)?.[1] ?? null;
}
