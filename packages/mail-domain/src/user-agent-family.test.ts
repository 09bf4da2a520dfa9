import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeUserAgent, userAgentFamilies } from './index.js';

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const ANDROID = `Mozilla/5.0 (Linux; Android 14; Pixel 8) ${WEBKIT} Chrome/131.0.0.0 Mobile Safari/537.36`;
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';

describe('userAgentFamilies', () => {
  it.each([
    [ANDROID, 'Chrome Mobile', 'Android'],
    [
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0`,
      'Edge',
      'Windows',
    ],
    [`Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} Chrome/131.0.0.0 Safari/537.36 OPR/116.0.0.0`, 'Opera', 'Linux'],
    [`${IPHONE} Version/17.4 Mobile/15E148 Safari/604.1`, 'Mobile Safari', 'iOS'],
    [`${IPHONE} Mobile/15E148`, 'Mobile Safari UI/WKWebView', 'iOS'],
    [`${IPHONE} CriOS/131.0.1 Mobile/15E148 Safari/604.1`, 'Chrome Mobile iOS', 'iOS'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:128.0) Gecko/20100101 Firefox/128.0', 'Firefox', 'Mac OS X'],
    ['Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko', 'IE', 'Windows'],
    // Products that no table knows name themselves.
    ['Parcelbird/4.2 CFNetwork/1494 Darwin/23.4.0', 'Parcelbird', 'iOS'],
    [`Mozilla/5.0 (X11; CrOS x86_64) ${WEBKIT} Chrome/131.0.0.0 Heron/7.1 Safari/537.36`, 'Heron', 'Chrome OS'],
    ['Mozilla/5.0 (compatible; Woodlarkbot/1.3; +https://woodlark.example/bot)', 'Woodlarkbot', ''],
    // Old telephones, televisions, consoles and browsers.
    ['Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; en) Opera 8.54', 'Opera', 'Windows'],
    ['Mozilla/5.0 (Macintosh; U; PPC Mac OS X Mach-O; rv:1.7) Gecko/20040910 Navigator/9.0.1', 'Netscape', 'Mac OS X'],
    ['Opera/9.80 (Linux mips; U; HbbTV/1.2.1 (; Philips; 40PFL; ; ; ) NETTV/4.3) Presto/2.10', 'HbbTV', 'Philips'],
    ['Mozilla/5.0 (PLAYSTATION 3 4.81) AppleWebKit/531.22.8 (KHTML, like Gecko)', 'NetFront NX', ''],
    ['Mozilla/5.0 (webOS/2.1; U; en-US) AppleWebKit/532.2 (KHTML, like Gecko) Version/1.0', 'webOS Browser', 'webOS'],
    // In apps.
    [`${IPHONE} AppleNews/808.2 Version/2.4.1`, 'Mobile Safari UI/WKWebView', 'iOS'],
    [
      `Mozilla/5.0 (Linux; Android 14; wv) ${WEBKIT} Version/4.0 Chrome/131.0.0.0 Mobile Safari/537.36`,
      'Chrome Mobile WebView',
      'Android',
    ],
    [`Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} Chrome/120.0.0.0 Safari/537.36 MMS/1.0.2`, 'Opera Neon', 'Linux'],
    // Feed readers, players and mail programs that put a space before their version, or tell none.
    ['Pocket Casts', 'Pocket Casts', ''],
    ['Mozilla/5.0 (Windows NT 10.0) Airmail 4.1', 'Airmail', 'Windows'],
    ['The Bat! 9.2.5', 'The Bat!', ''],
    // Robots that borrow a browser's words; their variants are of their family.
    ['Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; WhatWeb; .NET CLR 1.1.4322)', 'WhatWeb', 'Windows'],
    ['Mozilla/5.0 (compatible; Woodlarkbot-images/1.3; +https://woodlark.example/bot)', 'Woodlarkbot', ''],
    [
      'Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; http://www.heron-crawler.example)',
      'heron-crawler',
      'Windows',
    ],
    [
      `Mozilla/5.0 (Linux; Android 13; CUBOT P80) ${WEBKIT} Chrome/131.0.0.0 Mobile Safari/537.36`,
      'Chrome Mobile',
      'Android',
    ],
    ['Mozilla/5.0 (X11; Linux Mint; rv:128.0) Gecko/20100101 Firefox/128.0', 'Firefox', 'Linux Mint'],
    ['', '', ''],
  ])('%s', (userAgent, browser, os) => {
    expect(userAgentFamilies(userAgent)).toMatchObject({ browser, os });
  });

  it('is done soon with anything', () => {
    const pieces = fc.constantFrom(
      'a',
      '-',
      '(',
      ')',
      ';',
      '/',
      ' ',
      'bot',
      'crawl',
      'Mozilla/5.0',
      'compatible;',
      'Valve ',
      '1',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 600 }), (parts) => {
        const started = performance.now();
        userAgentFamilies(parts.join(''));
        expect(performance.now() - started).toBeLessThan(200);
      }),
    );
  });
});

describe('describeUserAgent', () => {
  it.each([
    ['Parcelbird/4.2.7 CFNetwork/1494 Darwin/23.4.0', 'Parcelbird 4.2'],
    [`${IPHONE} Mobile/15E148 Instagram 312.0.2.30 (iPhone15,2; iOS 17_4)`, 'Instagram 312.0'],
    [ANDROID, 'Chrome 131.0'],
  ])('names the program, not what it is built on: %s', (userAgent, browser) => {
    expect(describeUserAgent(userAgent).browser).toBe(browser);
  });
});
