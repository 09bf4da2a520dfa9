import { Resolver } from 'node:dns/promises';
import { codeOf } from '../explain.js';
import { type CheckResult, fail, ok, skipped, warn } from './check.js';

/** What the checks ask of DNS. */
export interface Lookup {
  mx(domain: string): Promise<{ exchange: string; priority: number }[]>;
  /** Each record's strings joined (RFC 7208, 3.3). */
  txt(domain: string): Promise<string[]>;
}

export function systemLookup(): Lookup {
  const resolver = new Resolver({ timeout: 3_000, tries: 2 });
  return {
    mx: (domain) => resolver.resolveMx(domain),
    txt: async (domain) => (await resolver.resolveTxt(domain)).map((strings) => strings.join('')),
  };
}

/** Names that are never delegated (RFC 2606, RFC 6761). */
const RESERVED = /(^|\.)(example|invalid|localhost|test|local|example\.(com|net|org))$/i;

/** A result for a domain that the public DNS cannot know; undefined for any other. */
export const skipReserved = (check: string, domain: string): CheckResult | undefined =>
  RESERVED.test(domain)
    ? skipped(check, `${domain} is a reserved name: fine on one machine, no use for real mail`)
    : undefined;

/** Can bounces come back to the domain of the envelope senders, and may we send for it? */
export async function checkReturnPath(domain: string | undefined, lookup: Lookup): Promise<CheckResult[]> {
  if (domain === undefined) return [skipped('return_path', 'not configured')];
  const reserved = skipReserved('return_path', domain);
  return reserved ? [reserved] : [await checkMx(domain, lookup), await checkSpf(domain, lookup)];
}

async function checkMx(domain: string, lookup: Lookup): Promise<CheckResult> {
  const found = await ask(() => lookup.mx(domain));
  if (found === 'unreachable') return dnsAway('return_path', domain);
  const hosts = found.filter(({ exchange }) => exchange !== '' && exchange !== '.').map(({ exchange }) => exchange);
  if (hosts.length > 0) return ok('return_path', `mail for ${domain} goes to ${hosts.join(', ')}`);
  return fail('return_path', {
    code: 'return_path_mx_missing',
    found: `${domain} has no MX record: bounces cannot come back`,
    remedy: `Publish an MX record for ${domain} that leads to the host of inbound-mail.`,
  });
}

async function checkSpf(domain: string, lookup: Lookup): Promise<CheckResult> {
  const found = await ask(() => lookup.txt(domain));
  if (found === 'unreachable') return dnsAway('spf', domain);
  const records = found.filter((text) => /^v=spf1( |$)/i.test(text));
  const [record] = records;
  if (records.length > 1)
    return fail('spf', {
      code: 'spf_twice',
      found: `${domain} has ${records.length} SPF records, which counts as none (RFC 7208, 4.5)`,
      remedy: 'Merge them into one.',
    });
  if (record === undefined)
    return warn('spf', {
      code: 'spf_missing',
      found: `${domain} has no SPF record`,
      remedy: `Publish TXT "v=spf1 ip4:ADDRESS -all" for ${domain} with the addresses that send.`,
    });
  if (/\+all\b/i.test(record) || / all\b/i.test(record))
    return warn('spf', { code: 'spf_open', found: `${record} lets anybody send`, remedy: 'End it with -all or ~all.' });
  return ok('spf', `${domain}: ${record.slice(0, 120)}`);
}

const NO_RECORD = ['ENOTFOUND', 'ENODATA', 'NXDOMAIN'];

/** What DNS holds, or that nobody answers. */
export async function ask<T>(question: () => Promise<T[]>): Promise<T[] | 'unreachable'> {
  try {
    return await question();
  } catch (error) {
    return NO_RECORD.includes(codeOf(error) ?? '') ? [] : 'unreachable';
  }
}

export const dnsAway = (check: string, name: string): CheckResult =>
  warn(check, {
    code: 'dns_unreachable',
    found: `no name server answers about ${name}`,
    remedy: 'Check the resolver of this machine, or run the doctor where there is one.',
  });
