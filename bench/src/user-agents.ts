import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { userAgentFamilies } from '@postloop/mail-domain';
import { parse } from 'yaml';
import { share, Tally } from './shares.js';

interface Row {
  userAgent: string;
  family: string;
  said: string;
}

/**
 * `user-agents FOLDER [--part I/N] [--list]`: compares browser and operating system families with FOLDER/test_ua.yaml and
 * FOLDER/test_os.yaml. Names agree when their letters and digits do, case and the word Browser apart.
 */
export async function userAgents(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { part: { type: 'string', default: '0/1' }, list: { type: 'boolean' } },
  });
  const folder = positionals[0];
  if (folder === undefined) throw new Error('user-agents FOLDER: the folder is missing');
  const [part = 0, of = 1] = values.part.split('/').map(Number);
  const rowsOf = async (file: string, said: (userAgent: string) => string): Promise<Row[]> => {
    const cases = (await readCases(join(folder, file))).filter((_row, index) => index % of === part);
    return cases.map((row) => ({ ...row, said: said(row.userAgent) || 'Other' }));
  };
  const browsers = await rowsOf('test_ua.yaml', (userAgent) => userAgentFamilies(userAgent).browser);
  const systems = await rowsOf('test_os.yaml', (userAgent) => userAgentFamilies(userAgent).os);
  for (const [name, rows] of [
    ['browsers', browsers],
    ['operating systems', systems],
  ] as const) {
    if (values.list) printAll(rows);
    else printWorst(name, rows);
  }
  console.log(
    JSON.stringify({
      rows: browsers.length + systems.length,
      browserAgreement: agreement(browsers),
      osAgreement: agreement(systems),
    }),
  );
}

async function readCases(path: string): Promise<Omit<Row, 'said'>[]> {
  const content: unknown = parse(await readFile(path, 'utf8'));
  const cases = typeof content === 'object' && content !== null && 'test_cases' in content ? content.test_cases : null;
  if (!Array.isArray(cases)) throw new Error(`${path} has no test_cases`);
  return cases.map((row: unknown) => {
    const { user_agent_string: userAgent, family } = row as Partial<Record<'user_agent_string' | 'family', unknown>>;
    if (typeof userAgent !== 'string') throw new Error(`${path}: a case without user_agent_string`);
    return { userAgent, family: String(family) };
  });
}

function agrees({ family, said }: Row): boolean {
  return plain(family) === plain(said);
}

function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}^]/gu, '')
    .replace(/browser$/, '');
}

function agreement(rows: readonly Row[]): number {
  return share(rows.filter(agrees).length, rows.length);
}

function printWorst(name: string, rows: readonly Row[]): void {
  const tally = new Tally();
  for (const row of rows) if (!agrees(row)) tally.add(`${row.family} taken for ${row.said}`);
  console.log(`${name}: ${rows.length} rows`);
  for (const [key, count] of tally.entries().slice(0, 15)) console.log(`${String(count).padStart(6)} ${key}`);
}

function printAll(rows: readonly Row[]): void {
  for (const row of rows) if (!agrees(row)) console.log(`${row.family} | ${row.said} | ${row.userAgent.slice(0, 260)}`);
}
