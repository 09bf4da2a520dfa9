import { isIP } from 'node:net';
import { isAddressAllowed, type parseNetworks } from './address-guard.js';
import { ContentError } from './content-error.js';
import type { HostList } from './host-list.js';

export interface UrlRules {
  hosts: HostList;
  networks: ReturnType<typeof parseNetworks>;
}

/**
 * Reads a URL that a recipient's field or a redirect names. The WHATWG parser turns every spelling of an IPv4 address
 * (`2130706433`, `0x7f.1`, `017700000001`) into its dotted form, so that it is judged as what it is.
 * @throws ContentError
 */
export function checkUrl(text: string, rules: UrlRules, base?: URL): URL {
  const url = parse(text.trim(), base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new ContentError('bad_url', `a URL of the scheme ${url.protocol.slice(0, 20)} is not fetched. Use https.`);
  if (url.username !== '' || url.password !== '')
    throw new ContentError('bad_url', 'a URL with a user name in it is not fetched. Leave it out.');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!rules.hosts(host))
    throw new ContentError(
      'host_not_allowed',
      `content from ${host.slice(0, 100)} is not allowed. Add the host to the client's list, or correct the URL.`,
    );
  // A literal address never reaches the look-up: it is judged here.
  if (isIP(host) !== 0 && !isAddressAllowed(host, rules.networks)) throw notAllowed(host);
  return url;
}

export function notAllowed(host: string): ContentError {
  return new ContentError(
    'address_not_allowed',
    `${host.slice(0, 100)} leads to an address that is not public. Allow its network in the configuration if it is yours.`,
  );
}

function parse(text: string, base?: URL): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base?.href) : null;
  if (!url || url.hostname === '') throw new ContentError('bad_url', 'this is no URL. Write https://host/path.');
  url.hash = '';
  return url;
}
