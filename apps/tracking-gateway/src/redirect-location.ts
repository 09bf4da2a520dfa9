const WEB = /^https?:\/\//i;
const PRINTABLE = /^[!-~]+$/;

/**
 * A target as a Location header takes it: an absolute http or https URL in printable ASCII, byte for byte as it was
 * where it already is that. Null for everything else: no other scheme and no line break ever leaves the gateway.
 */
export function redirectLocation(url: string): string | null {
  const trimmed = url.trim();
  if (!WEB.test(trimmed) || !URL.canParse(trimmed)) return null;
  if (PRINTABLE.test(trimmed)) return trimmed;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a URL parser drops some of them silently, we do not
  return /[\u0000-\u001f\u007f]/.test(trimmed) ? null : new URL(trimmed).href;
}
