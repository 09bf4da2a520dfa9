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
