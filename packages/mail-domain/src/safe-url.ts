const PLAIN = /^[!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]+$/;
const WEB = /^https?:\/\//i;
const WEB_HOST = /^https?:\/\/[^\s/?#\\]/i;

/** Whether a URL, as far as it is known, is an absolute http or https URL. */
export function startsLikeWeb(url: string): boolean {
  return WEB.test(url);
}

/** Whether a URL goes far enough to say to which host it leads: what comes behind it cannot change that it has one. */
export function startsWithWebHost(url: string): boolean {
  return WEB_HOST.test(url);
}

/**
 * @returns the URL, trimmed, when it is an absolute http or https URL: in printable ASCII (what a Location header takes),
 * otherwise as it was written. Null for anything else.
 */
export function safeWebUrl(url: string): string | null {
  const trimmed = url.trim();
  if (!WEB.test(trimmed) || !URL.canParse(trimmed)) return null;
  if (PLAIN.test(trimmed)) return trimmed;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a URL parser drops some of them silently, we do not
  return /[\u0000-\u001f\u007f]/.test(trimmed) ? null : new URL(trimmed).href;
}

/** The scheme that a browser reads in a URL (it drops control characters and surrounding white space), in lower case. */
export function schemeOf(url: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is dropped
  const read = url.replace(/[\u0000-\u0020\u007f-\u00a0\u200b\ufeff]/g, '');
  return /^([a-z][a-z0-9+.-]*):/i.exec(read)?.[1]?.toLowerCase() ?? '';
}
