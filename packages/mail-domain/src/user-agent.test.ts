import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyEvent, describeUserAgent } from './index.js';

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1';
const GMAIL = 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)';
const YAHOO = 'YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html';
const OUTLOOK =
  'Mozilla/4.0 (compatible; ms-office; MSOffice 16) Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.4266; Pro)';

describe('describeUserAgent', () => {
  it.each([
    ['Mozilla/5.0 (Windows NT 10.0; rv:64.1) Gecko/20100101 Firefox/64.1', 'Firefox 64.1', 'Windows 10', 'Desktop'],
    [CHROME, 'Chrome 131.0', 'Windows 10', 'Desktop'],
    [IPHONE, 'Safari 17.4', 'iOS 17.4', 'Mobile'],
    [OUTLOOK, 'Outlook 16.0', 'Windows 10', 'Desktop'],
    [
      'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0',
      'Thunderbird 128.5',
      'Linux',
      'Desktop',
    ],
    [GMAIL, 'Gmail image proxy', '', ''],
    [YAHOO, 'Yahoo Mail image proxy', '', ''],
    ['Mozilla/5.0', '', '', ''],
    ['', '', '', ''],
    [null, '', '', ''],
  ])('%s', (userAgent, browser, platform, device) => {
    expect(describeUserAgent(userAgent)).toEqual({ browser, platform, device });
  });

  it('gives short printable strings for anything', () => {
    const any = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((text) => `${CHROME} ${text}`),
    );
    fc.assert(
      fc.property(any, (userAgent) => {
        for (const text of Object.values(describeUserAgent(userAgent))) expect(text).toMatch(/^[\x20-\x7e]{0,520}$/);
      }),
    );
    expect(describeUserAgent(`${'('.repeat(5_000_000)} Firefox/64.1`).browser).toBe('');
  });
});

describe('classifyEvent', () => {
  it.each([
    ['open', GMAIL, 'GET', 'image_proxy', 'google-image-proxy'],
    ['open', YAHOO, 'GET', 'image_proxy', 'yahoo-mail-proxy'],
    ['open', 'Mozilla/5.0', 'GET', 'privacy_proxy', 'bare-mozilla-open'],
    ['click', 'Mozilla/5.0', 'GET', 'unknown', 'bare-mozilla-click'],
    ['click', CHROME, 'GET', 'human', 'browser'],
    ['open', OUTLOOK, 'GET', 'human', 'browser'],
    ['click', CHROME, 'HEAD', 'scanner', 'head-request'],
    ['click', 'Barracuda Sentinel (EE)', 'GET', 'scanner', 'mail-scanner'],
    ['click', 'curl/8.5.0', 'GET', 'scanner', 'http-library'],
    ['click', 'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)', 'GET', 'scanner', 'robot'],
    ['click', 'WhatsApp/2.23.20.0 A', 'GET', 'scanner', 'robot'],
    ['open', null, 'GET', 'unknown', 'no-user-agent'],
    ['open', 'something', 'GET', 'unknown', 'none'],
    [
      'open',
      'Mozilla/5.0 (Linux; Android 13; CUBOT P80) Chrome/131.0.0.0 Mobile Safari/537.36',
      'GET',
      'human',
      'browser',
    ],
  ] as const)('%s by %s', (kind, userAgent, method, verdict, rule) => {
    expect(classifyEvent({ kind, userAgent, method })).toEqual({ verdict, rule });
  });
});
