import { findProgramName, findRobotName, type NamedClient } from './user-agent-names.js';
import { operatingSystemOf } from './user-agent-os.js';
import { APP_PATTERNS, BROWSER_PATTERNS, type FamilyPattern, ROBOT_PATTERNS } from './user-agent-patterns.js';
import { TOKEN_FAMILIES, UNTELLING_TOKENS } from './user-agent-rules.js';
import { type ProductToken, readProductTokens } from './user-agent-tokens.js';

/** Family names without versions, as uap-core calls them: `Mobile Safari`, `Mac OS X`; '' when unknown. */
export interface UserAgentFamilies {
  browser: string;
  /** Version of the browser as it stands; '' when unknown. */
  browserVersion: string;
  os: string;
}

const MAX_LENGTH = 512;
/** A name and a version at the start: `The Bat! 4.0`, `Airmail 1.0.6 rv:196`. */
const LEADING = /^([A-Za-z0-9][A-Za-z0-9 .!_&'+-]{0,60}?)(?:[/ ]|, ?|-)v?(\d[\w.]{0,30})/;
/** `Crawler/Name-1.2`, `Crawler/Name 1.2`: the second name is the product's. */
const NAMED_TWICE = /^[\w .!-]{1,40}\/([A-Za-z][\w-]{0,40}?)(?:-| v?)(\d[\w.]{0,20})/;
/** A name alone at the start: `Riddler (http://…)`, `Superhuman`. */
const LEADING_NAME = /^([A-Za-z0-9][\w.!:-]{0,40}(?: [\w.-]{1,20}){0,3}?)\s{0,3}(?:$|[;(+,]|- |https?:)/;
/** A robot's name of several words with its version, and one at the start without. */
const ROBOT =
  /(?:^|[;(] ?)([A-Za-z0-9 _!.:-]{0,40}(?:archiver|indexer|scraper|bot|spider|crawler))[ /]v?(\d[\w.]{0,20})/i;
const ROBOT_ALONE = /^([A-Za-z0-9 _!-]{1,50}bot)(?=\s{0,3}(?:[(,;]|$))/i;
/** Robots call themselves so, with one word before it. */
const CRAWLER =
  /((?:[A-Za-z_-]{1,50} the |[A-Za-z_-]{1,50} |[A-Za-z0-9_:-]{1,50})?(?:spider|crawl(?!ed|ing))[A-Za-z0-9_-]{0,30})(?:[/ ]v?(\d[\w.]{0,20}))?/i;
const BOT =
  /(?<![A-Za-z0-9_.-])((?!cubot)(?:(?!compatible)[A-Za-z]{1,20} ){0,3}?(?!cubot)[A-Za-z0-9_.-]{0,40}bots?(?:_[\w.]{1,20})?(?:-[A-Za-z]{1,20})?)\b(?:[/ ]v?(\d[\w.]{0,20}))?/i;
const LINKS = /https?:\/{0,2}\S*|www\.\S*|\S*@\S*|\S*\/~\S*/g;
/** Devices stand in comments as products do. */
const DEVICE = /^(?:nokia|samsung|sonyericsson|lg[-e]|htc|huawei|sm-|gt-|zte|lenovo|alcatel|mot-|j2me|midp|ucweb)/i;

/** @param userAgent as the client sent it: anything, of any length */
export function userAgentFamilies(userAgent: string | null): UserAgentFamilies {
  const given = (userAgent ?? '').slice(0, MAX_LENGTH).trim();
  // Some clients send it as they would in a query.
  const text = given.includes(' ') ? given : given.replaceAll('+', ' ');
  const { browser, browserVersion } = browserOf(text);
  return { browser, browserVersion, os: operatingSystemOf(text) };
}

type Browser = Pick<UserAgentFamilies, 'browser' | 'browserVersion'>;

/**
 * Apps and robots borrow the words of browsers, so they come first; then what is known by a pattern or a name; then the
 * product that says most: what is left when the tokens that all browsers share are gone.
 */
function browserOf(text: string): Browser {
  const tokens = readProductTokens(text);
  return (
    matchOf(text, APP_PATTERNS) ??
    matchOf(text, ROBOT_PATTERNS) ??
    clientOf(findRobotName(text)) ??
    robotOf(text, tokens) ??
    matchOf(text, BROWSER_PATTERNS) ??
    clientOf(findProgramName(text)) ??
    productOf(text, tokens) ??
    standardBrowser(text, tokens)
  );
}

function matchOf(text: string, patterns: readonly FamilyPattern[]): Browser | null {
  for (const [pattern, family] of patterns) {
    const found = pattern.exec(text);
    if (found !== null) return { browser: family, browserVersion: found.slice(1).find((version) => version) ?? '' };
  }
  return null;
}

function clientOf(client: NamedClient | null): Browser | null {
  return client && { browser: client.name, browserVersion: client.version };
}

/** A name that says robot and its version; else such a word anywhere, when no other product names itself. */
function robotOf(text: string, tokens: readonly ProductToken[]): Browser | null {
  const plain = text.replace(LINKS, ' ');
  const leading = ROBOT.exec(plain) ?? ROBOT_ALONE.exec(plain);
  if (leading !== null) return robot(leading[1], leading[2]);
  const token = tokens.find(({ name }) => /(?<!cu)bot(?:-[a-z]{1,20})?$|crawler|spider|scanner|monitor/i.test(name));
  return token === undefined ? null : robot(named(token).browser, token.version);
}

/** A robot's variants (`coccocbot-image`, `ScreenerBot Crawler Beta`) are of its family; Google's are products of their own. */
function robot(name = '', version = ''): Browser {
  const family = /google|yodao|bot$/i.test(name) ? name : name.replace(/^(.*?\wbot)[ -].*$/i, '$1');
  return { browser: family.trim(), browserVersion: version };
}

function productOf(text: string, tokens: readonly ProductToken[]): Browser | null {
  const known = tokens.find(({ name }) => TOKEN_FAMILIES.has(name.toLowerCase()));
  if (known !== undefined) return named(known);
  if (/^\(?(?:Mozilla|Opera)\b/.test(text)) {
    return (
      tellingToken(text, tokens) ?? robotWord(text.replace(LINKS, ' ')) ?? compatibleName(text) ?? crawlerLink(text)
    );
  }
  // A telephone's name, and behind it the robot that borrows it.
  if (text.includes('(compatible;'))
    return (
      tellingToken(
        text,
        tokens.filter(({ inComment }) => inComment),
      ) ?? robotWord(text.replace(LINKS, ' '))
    );
  const leading = NAMED_TWICE.exec(text) ?? LEADING.exec(text);
  if (leading !== null) {
    return { browser: (leading[1] ?? '').replace(/-(?:iPad|iPhone)$/i, '').trim(), browserVersion: leading[2] ?? '' };
  }
  const alone = LEADING_NAME.exec(text)?.[1];
  return (
    robotWord(text.replace(LINKS, ' ')) ??
    (alone === undefined ? tellingToken(text, tokens) : { browser: alone, browserVersion: '' })
  );
}

function tellingToken(text: string, tokens: readonly ProductToken[]): Browser | null {
  const telling = tokens.filter(({ name }) => !UNTELLING_TOKENS.has(name.toLowerCase()));
  // Beside an engine, the comment is about the device.
  const inComment = /AppleWebKit|Gecko\//.test(text) ? undefined : telling.find(({ name }) => !DEVICE.test(name));
  const best = telling.find((token) => !token.inComment) ?? inComment;
  return best === undefined ? null : named(best);
}

function robotWord(text: string): Browser | null {
  const word = CRAWLER.exec(text) ?? BOT.exec(text);
  return word === null ? null : robot(word[1], word[2]);
}

/** A browser carries no address of a crawler. */
function crawlerLink(text: string): Browser | null {
  const word = CRAWLER.exec(text);
  return word === null ? null : robot(word[1], word[2]);
}

/** `Mozilla/5.0 (compatible; Name; …)`. */
function compatibleName(text: string): Browser | null {
  const name =
    /\(compatible;\s{0,3}((?!MSIE|Windows|Linux|Konqueror|ms-office)[A-Za-z][\w.!-]{2,40})\s{0,3}(?:[;)/]| \d| - )/.exec(
      text,
    )?.[1];
  return name === undefined ? null : { browser: name, browserVersion: '' };
}

function named({ name, version }: ProductToken): Browser {
  return { browser: TOKEN_FAMILIES.get(name.toLowerCase()) ?? name.replaceAll('_', ' '), browserVersion: version };
}

/** What only shared tokens make up. */
function standardBrowser(text: string, tokens: readonly ProductToken[]): Browser {
  const versionOf = (name: string): string => tokens.find((token) => token.name.toLowerCase() === name)?.version ?? '';
  const has = (name: string): boolean => versionOf(name) !== '';
  const mobile = /\bMobile\b/.test(text);
  if (has('electron')) return { browser: 'Electron', browserVersion: versionOf('electron') };
  if (has('firefox'))
    return {
      browser: mobile || /Tablet; rv/.test(text) ? 'Firefox Mobile' : 'Firefox',
      browserVersion: versionOf('firefox'),
    };
  if (has('chrome')) {
    if (/; wv\)|Version\/.*Chrome\//.test(text))
      return { browser: 'Chrome Mobile WebView', browserVersion: versionOf('chrome') };
    return {
      browser: mobile ? 'Chrome Mobile' : 'Chrome',
      browserVersion: versionOf('chrome'),
    };
  }
  const explorer = /\bMSIE (\d[\d.]*)/.exec(text)?.[1] ?? /Trident\/.*\brv:(\d[\d.]*)/.exec(text)?.[1];
  if (explorer !== undefined) return { browser: /IEMobile/.test(text) ? 'IE Mobile' : 'IE', browserVersion: explorer };
  if (/\bAndroid\b/.test(text)) return { browser: 'Android', browserVersion: versionOf('version') };
  if (/\(iP(?:hone|ad|od)|\biOS\b/.test(text)) {
    return {
      browser: /Safari/.test(text) ? 'Mobile Safari' : 'Mobile Safari UI/WKWebView',
      browserVersion: versionOf('version'),
    };
  }
  if (has('safari')) return { browser: 'Safari', browserVersion: versionOf('version') };
  if (/Macintosh/.test(text) && has('applewebkit'))
    return { browser: 'Apple Mail', browserVersion: versionOf('applewebkit') };
  if (has('opera')) return { browser: 'Opera', browserVersion: versionOf('version') || versionOf('opera') };
  return { browser: '', browserVersion: '' };
}
