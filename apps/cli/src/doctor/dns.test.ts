import { expect, it } from 'vitest';
import { checkDns, type Lookup } from './dns.js';

const missing = () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }));
const away = () => Promise.reject(Object.assign(new Error('no'), { code: 'ETIMEOUT' }));
const SETTINGS = { returnPathDomain: 'bounces.shop.com', dkimDomain: 'shop.com', dkimSelector: 'p1' };

async function codes(records: { mx?: string[]; txt?: Record<string, string[]> }, settings = SETTINGS) {
  const { mx, txt = {} } = records;
  const lookup: Lookup = {
    mx: async () => (mx ? mx.map((exchange) => ({ exchange, priority: 1 })) : missing()),
    txt: async (domain) => txt[domain] ?? missing(),
  };
  return (await checkDns(settings, lookup)).map(({ check, status, code }) => `${check} ${status} ${code}`);
}

const SPF = { 'bounces.shop.com': ['google-site=1', 'v=spf1 ip4:192.0.2.1 -all'] };
const DKIM = { 'p1._domainkey.shop.com': ['v=DKIM1; k=rsa; p=MIIB IjAN'] };

it.each([
  ['all in place', { mx: ['mx.shop.com'], txt: { ...SPF, ...DKIM } }, ['return_path ok ok', 'spf ok ok', 'dkim ok ok']],
  ['no MX', { txt: { ...SPF, ...DKIM } }, ['return_path fail return_path_mx_missing', 'spf ok ok', 'dkim ok ok']],
  [
    'null MX (RFC 7505)',
    { mx: [''], txt: { ...SPF, ...DKIM } },
    ['return_path fail return_path_mx_missing', 'spf ok ok', 'dkim ok ok'],
  ],
  ['no SPF', { mx: ['mx'], txt: DKIM }, ['return_path ok ok', 'spf warn spf_missing', 'dkim ok ok']],
  [
    'two SPF',
    { mx: ['mx'], txt: { ...DKIM, 'bounces.shop.com': ['v=spf1 -all', 'v=spf1 ~all'] } },
    ['return_path ok ok', 'spf fail spf_twice', 'dkim ok ok'],
  ],
  [
    'SPF for all',
    { mx: ['mx'], txt: { ...DKIM, 'bounces.shop.com': ['v=spf1 +all'] } },
    ['return_path ok ok', 'spf warn spf_open', 'dkim ok ok'],
  ],
  ['no key', { mx: ['mx'], txt: SPF }, ['return_path ok ok', 'spf ok ok', 'dkim fail dkim_missing']],
  [
    'a revoked key',
    { mx: ['mx'], txt: { ...SPF, 'p1._domainkey.shop.com': ['v=DKIM1; p='] } },
    ['return_path ok ok', 'spf ok ok', 'dkim fail dkim_revoked'],
  ],
])('%s', async (_, records, expected) => {
  expect(await codes(records)).toEqual(expected);
});

it('a reserved domain and an unset DKIM are no faults', async () => {
  const settings = { returnPathDomain: 'bounces.localhost.example', dkimDomain: undefined, dkimSelector: undefined };
  const results = await checkDns(settings, { mx: missing, txt: missing });
  expect(results.map(({ status }) => status)).toEqual(['skipped', 'skipped']);
  expect(results[1]?.found).toContain('not configured');
});

it('a resolver that is away is a warning: nothing is known to be wrong', async () => {
  const results = await checkDns(SETTINGS, { mx: away, txt: away });
  expect(results.map(({ code }) => code)).toEqual(['dns_unreachable', 'dns_unreachable', 'dns_unreachable']);
});
