/** Second labels under which countries let people register: `co.uk`, `com.au`. */
const REGISTRIES = new Set([
  'ac',
  'co',
  'com',
  'edu',
  'go',
  'gov',
  'ltd',
  'me',
  'ne',
  'net',
  'or',
  'org',
  'plc',
  'sch',
]);

/**
 * Do two domains belong to one organisation (relaxed alignment of DMARC, RFC 7489 3.1.1)? Without a list of public suffixes
 * that is a guess: one is a subdomain of the other, or their registered domains look the same. Good enough to choose a
 * key and to warn, not to trust.
 */
export function isAligned(one: string, other: string): boolean {
  const a = one.toLowerCase();
  const b = other.toLowerCase();
  return a === b || a.endsWith(`.${b}`) || b.endsWith(`.${a}`) || registered(a) === registered(b);
}

/** The last two labels, or three below a country's registry. */
function registered(domain: string): string {
  const labels = domain.split('.');
  const [registry = '', country = ''] = labels.slice(-2);
  return labels.slice(country.length === 2 && REGISTRIES.has(registry) ? -3 : -2).join('.');
}
