import { type DkimKey, dkimRecord } from '@postloop/mail-domain/dkim';
import { type CheckResult, fail, ok, skipped, warn } from './check.js';
import { ask, dnsAway, type Lookup, skipReserved } from './dns.js';

const CHECK = 'dkim';

/** Does the DNS hold, for each key that signs, the public key that belongs to it? */
export async function checkDkim(keys: readonly DkimKey[] | undefined, lookup: Lookup): Promise<CheckResult[]> {
  if (!keys || keys.length === 0) return [skipped(CHECK, 'not configured (DKIM_KEYS)')];
  return Promise.all(keys.map((key) => checkKey(key, lookup)));
}

async function checkKey(key: DkimKey, lookup: Lookup): Promise<CheckResult> {
  const reserved = skipReserved(CHECK, key.domain);
  if (reserved) return reserved;
  const { name, value } = dkimRecord(key);
  const found = await ask(() => lookup.txt(name));
  if (found === 'unreachable') return dnsAway(CHECK, name);
  const remedy = `Publish as TXT of ${name}: ${value}`;
  const records = found.map(readRecord).filter((record) => record !== undefined);
  const [first] = records;
  if (!first) return fail(CHECK, { code: 'dkim_missing', found: `${name} publishes no key`, remedy });
  const own = readRecord(value);
  const match = records.find(({ type, key: published }) => type === own?.type && published === own.key);
  if (match) return judgeFlags(name, match.flags);
  if (first.key === '')
    return fail(CHECK, { code: 'dkim_revoked', found: `the key of ${name} is revoked (p= is empty)`, remedy });
  const other = `${name} publishes another key than the one in DKIM_KEYS: no signature will be valid`;
  return fail(CHECK, { code: 'dkim_other_key', found: other, remedy });
}

function judgeFlags(name: string, flags: readonly string[]): CheckResult {
  if (!flags.includes('y')) return ok(CHECK, `${name} publishes the key that signs`);
  return warn(CHECK, {
    code: 'dkim_testing',
    found: `${name} says t=y: verifiers take the signatures for a test`,
    remedy: `Take t=y out of the TXT record of ${name}.`,
  });
}

interface KeyRecord {
  type: string;
  /** Base64; empty when the key is revoked. */
  key: string;
  flags: string[];
}

/** RFC 6376, 3.6.1: `v=` and `k=` are optional, white space inside `p=` means nothing. @returns undefined for no key record */
function readRecord(text: string): KeyRecord | undefined {
  const tags = new Map(
    text.split(';').map((tag) => {
      const [name = '', ...value] = tag.split('=');
      return [name.trim(), value.join('=').trim()];
    }),
  );
  const key = tags.get('p')?.replace(/\s/g, '');
  if (key === undefined || (tags.get('v') ?? 'DKIM1') !== 'DKIM1') return undefined;
  return { type: tags.get('k') ?? 'rsa', key, flags: (tags.get('t') ?? '').split(':').map((flag) => flag.trim()) };
}
