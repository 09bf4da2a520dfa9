import { createDkimKey, type DkimKey, dkimRecord } from '@postloop/mail-domain/dkim';
import { z } from 'zod';
import { describeIssues, parsedBy, parseJson, readText } from './parsed-variable.js';

const ALGORITHMS = {
  rsa: 'rsa-sha256',
  'rsa-sha256': 'rsa-sha256',
  ed25519: 'ed25519-sha256',
  'ed25519-sha256': 'ed25519-sha256',
} as const;
type AlgorithmName = keyof typeof ALGORITHMS;
const algorithmNames = Object.keys(ALGORITHMS) as AlgorithmName[];

const jsonKeys = z.array(
  z
    .strictObject({
      domain: z.string(),
      selector: z.string(),
      algorithm: z.enum(algorithmNames),
      file: z.string().optional(),
      key: z.string().optional(),
    })
    .refine(({ file, key }) => (file === undefined) !== (key === undefined), {
      message: 'name a file, or give the key',
    }),
);

/** The keys that sign mails: docs/TRANSPORTS.md. */
export const dkimConfig = {
  DKIM_KEYS: z
    .string()
    .transform(parsedBy(parseDkimKeys))
    .default([])
    .describe(
      'keys that sign, as domain:selector:algorithm:path or JSON: docs/TRANSPORTS.md; DKIM_KEYS_FILE names a file',
    ),
};

/**
 * Reads the keys that sign: `domain:selector:algorithm:path` separated by commas or line breaks, or a JSON array of
 * `{ domain, selector, algorithm, file | key }`.
 * @throws RangeError with one problem per line; nothing of a key is in it
 */
function parseDkimKeys(text: string): DkimKey[] {
  const problems: string[] = [];
  const keys: DkimKey[] = [];
  for (const [place, read] of text.trimStart().startsWith('[') ? fromJson(text) : fromList(text)) {
    try {
      const key = read();
      const { name } = dkimRecord(key);
      if (keys.some((other) => dkimRecord(other).name === name)) throw new RangeError(`${name} is there twice`);
      keys.push(key);
    } catch (error) {
      problems.push(`${place}: ${(error as Error).message}`);
    }
  }
  if (problems.length > 0) throw new RangeError(problems.join('\n'));
  return keys;
}

type Entry = [place: string, read: () => DkimKey];

function fromJson(text: string): Entry[] {
  const parsed = jsonKeys.safeParse(parseJson(text));
  if (!parsed.success) throw new RangeError(describeIssues(parsed.error));
  return parsed.data.map(({ domain, selector, algorithm, file, key }) => [
    `${selector}._domainkey.${domain}`,
    () => createDkimKey({ domain, selector, algorithm: ALGORITHMS[algorithm], pem: key ?? readText(file ?? '') }),
  ]);
}

function fromList(text: string): Entry[] {
  const entries = text.split(/[,\n]/).map((entry) => entry.trim());
  return entries
    .filter((entry) => entry !== '')
    .map((entry, i) => {
      const [, domain = '', selector = '', name = '', path = ''] = /^([^:]+):([^:]+):([^:]+):(.+)$/.exec(entry) ?? [];
      const read = (): DkimKey => {
        if (domain === '') throw new RangeError('write domain:selector:algorithm:path');
        const algorithm = algorithmNames.find((one) => one === name);
        if (!algorithm) throw new RangeError(`the algorithm is one of ${algorithmNames.join(', ')}`);
        return createDkimKey({ domain, selector, algorithm: ALGORITHMS[algorithm], pem: readText(path) });
      };
      return [domain === '' ? `entry ${i + 1}` : `${selector}._domainkey.${domain}`, read];
    });
}
