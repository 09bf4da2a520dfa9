import { parse } from 'bowser';
import { userAgentFamilies } from './user-agent-family.js';

/** What the response files say of a client: strings such as `Firefox 64.1`, `Windows 10`, `Desktop`; '' when unknown. */
export interface UserAgentDescription {
  browser: string;
  platform: string;
  device: string;
}

const MAX_LENGTH = 512;
const UNKNOWN: UserAgentDescription = { browser: '', platform: '', device: '' };

/** Clients that a browser detector takes for something else. The first that matches names the browser. */
const MAIL_CLIENTS: readonly { pattern: RegExp; name: string; proxy: boolean }[] = [
  { pattern: /\bGoogleImageProxy\b/, name: 'Gmail image proxy', proxy: true },
  { pattern: /\bYahooMailProxy\b/, name: 'Yahoo Mail image proxy', proxy: true },
  // Apple Mail Privacy Protection says no more than this.
  { pattern: /^Mozilla\/5\.0$/, name: '', proxy: true },
  { pattern: /\bThunderbird\/(\d+(?:\.\d+)?)/, name: 'Thunderbird', proxy: false },
  { pattern: /\bMacOutlook\/(\d+(?:\.\d+)?)/, name: 'Outlook', proxy: false },
  { pattern: /\bMicrosoft Outlook (\d+(?:\.\d+)?)/, name: 'Outlook', proxy: false },
  { pattern: /\bMSOffice (\d+)\b/i, name: 'Outlook', proxy: false },
  { pattern: /\bOutlook-(?:iOS|Android)\/(\d+(?:\.\d+)?)/, name: 'Outlook', proxy: false },
];

/** Families that bowser names itself, with their own versions. */
const BROWSERS =
  /^(?:Android$|Apple Mail$|Chrom|Edge|Firefox|IE|Mobile Safari|Opera|Safari|Samsung Internet|UC Browser|Yandex|Vivaldi|QQ Browser|Amazon Silk|BlackBerry|WebKit)/;

/** @param userAgent as the client sent it: anything, of any length */
export function describeUserAgent(userAgent: string | null): UserAgentDescription {
  const text = (userAgent ?? '').slice(0, MAX_LENGTH).trim();
  if (text === '') return UNKNOWN;
  const client = MAIL_CLIENTS.find(({ pattern }) => pattern.test(text));
  if (client?.proxy) return { ...UNKNOWN, browser: client.name };
  const parsed = parse(text);
  const browser = client
    ? join(client.name, client.pattern.exec(text)?.[1])
    : (appName(text) ?? join(parsed.browser.name, shortVersion(parsed.browser.version)));
  return { browser, platform: platformName(parsed.os), device: capitalise(parsed.platform.type) };
}

/** Programs that bowser takes for the browser that they are built on, or does not know; null for browsers that it knows. */
function appName(text: string): string | null {
  const { browser, browserVersion } = userAgentFamilies(text);
  return browser === '' || BROWSERS.test(browser) ? null : join(browser, shortVersion(browserVersion));
}

/** Windows goes by its version name (`NT 10.0` is 10), everything else by its number. */
function platformName(os: { name?: string; version?: string; versionName?: string }): string {
  if (os.name === undefined) return '';
  return join(os.name, (os.name === 'Windows' && os.versionName) || shortVersion(os.version));
}

/** Major and minor version. */
function shortVersion(version: string | undefined): string {
  return /^\d+(\.\d+)?/.exec(version ?? '')?.[0] ?? '';
}

/** What stands in a user agent goes into files that people open: printable characters only. */
function join(name: string | undefined, version: string | undefined): string {
  return [name, version]
    .map((part) => (part ?? '').replace(/[^\x20-\x7e]/g, '').trim())
    .filter((part) => part !== '')
    .join(' ');
}

function capitalise(type: string | undefined): string {
  return type ? type.charAt(0).toUpperCase() + type.slice(1) : '';
}
