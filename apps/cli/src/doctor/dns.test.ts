import { generateKeyPairSync } from 'node:crypto';
import { createDkimKey, type DkimAlgorithm, dkimRecord } from '@postloop/mail-domain/dkim';
import { expect, it } from 'vitest';
import { checkDkim } from './dkim.js';
import { checkReturnPath, type Lookup } from './dns.js';

interface Records {
  mx?: string[];
  txt?: Record<string, string[]>;
}

const missing = () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }));
const away = () => Promise.reject(Object.assign(new Error('no'), { code: 'ETIMEOUT' }));
const AWAY: Lookup = { mx: away, txt: away };
const lookupOf = ({ mx, txt = {} }: Records): Lookup => ({
  mx: async () => (mx ? mx.map((exchange) => ({ exchange, priority: 1 })) : missing()),
  txt: async (domain) => txt[domain] ?? missing(),
});

const SPF = { 'bounces.shop.com': ['google-site=1', 'v=spf1 ip4:192.0.2.1 -all'] };

it.each<[string, Records, string[]]>([
  ['all in place', { mx: ['mx.shop.com'], txt: SPF }, ['return_path ok ok', 'spf ok ok']],
  ['no MX', { txt: SPF }, ['return_path fail return_path_mx_missing', 'spf ok ok']],
  ['null MX (RFC 7505)', { mx: [''], txt: SPF }, ['return_path fail return_path_mx_missing', 'spf ok ok']],
  ['no SPF', { mx: ['mx'] }, ['return_path ok ok', 'spf warn spf_missing']],
  [
    'two SPF',
    { mx: ['mx'], txt: { 'bounces.shop.com': ['v=spf1 -all', 'v=spf1 ~all'] } },
    ['return_path ok ok', 'spf fail spf_twice'],
  ],
  [
    'SPF for all',
    { mx: ['mx'], txt: { 'bounces.shop.com': ['v=spf1 +all'] } },
    ['return_path ok ok', 'spf warn spf_open'],
  ],
])('the return path: %s', async (_, records, expected) => {
  const results = await checkReturnPath('bounces.shop.com', lookupOf(records));
  expect(results.map(({ check, status, code }) => `${check} ${status} ${code}`)).toEqual(expected);
});

const makeKey = (algorithm: DkimAlgorithm, domain = 'shop.com') => {
  const { privateKey } =
    algorithm === 'rsa-sha256' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return createDkimKey({ domain, selector: algorithm.slice(0, 2), algorithm, pem });
};
const [rsa, ed25519, other] = [makeKey('rsa-sha256'), makeKey('ed25519-sha256'), makeKey('rsa-sha256')];
const { name, value } = dkimRecord(rsa);
const p = /p=(.*)/.exec(value)?.[1] ?? '';

it.each<[string, string[], string]>([
  ['the key that signs', [value], 'ok ok'],
  ['in another notation', [`k = rsa ; p=${p.slice(0, 9)} ${p.slice(9)};`], 'ok ok'],
  ['beside one that is going', [dkimRecord(other).value, value], 'ok ok'],
  ['no record', [], 'fail dkim_missing'],
  ['a record that is no key', ['v=spf1 -all', `v=DKIM2; p=${p}`], 'fail dkim_missing'],
  ['a revoked key', ['v=DKIM1; p='], 'fail dkim_revoked'],
  ["another key's", [dkimRecord(other).value], 'fail dkim_other_key'],
  ['a key cut short, as some forms do', [value.slice(0, 255)], 'fail dkim_other_key'],
  ['the key as one of another type', [`v=DKIM1; k=ed25519; p=${p}`], 'fail dkim_other_key'],
  ['a key on trial', [`v=DKIM1; t=s:y; p=${p}`], 'warn dkim_testing'],
])('DKIM: %s', async (_, records, expected) => {
  const [result] = await checkDkim([rsa], lookupOf({ txt: { [name]: records } }));
  expect(`${result?.status} ${result?.code}`).toBe(expected);
  if (result?.status === 'fail') expect(result.remedy).toContain(value);
});

it('every key that signs is looked at', async () => {
  const results = await checkDkim([rsa, ed25519], lookupOf({ txt: { [name]: [value] } }));
  expect(results.map(({ code }) => code)).toEqual(['ok', 'dkim_missing']);
});

it('reserved domains and no keys are no faults', async () => {
  const results = [
    ...(await checkReturnPath('bounces.localhost.example', AWAY)),
    ...(await checkDkim([makeKey('ed25519-sha256', 'shop.example')], AWAY)),
    ...(await checkDkim([], AWAY)),
  ];
  expect(results.map(({ status }) => status)).toEqual(['skipped', 'skipped', 'skipped']);
  expect(results[2]?.found).toContain('DKIM_KEYS');
});

it('a resolver that is away is a warning: nothing is known to be wrong', async () => {
  const results = [...(await checkReturnPath('bounces.shop.com', AWAY)), ...(await checkDkim([rsa], AWAY))];
  expect(results.map(({ code }) => code)).toEqual(['dns_unreachable', 'dns_unreachable', 'dns_unreachable']);
});
