import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  classifyInbound,
  DEFAULT_INBOUND_LIMITS,
  type InboundVerdict,
  parseInbound,
} from '@postloop/mail-domain/inbound';
import { agreesInCategory, type ExpectedRow, expectedCategory, readExpected } from './expected-bounces.js';
import { share, Tally } from './shares.js';

interface Pair {
  file: string;
  expected: ExpectedRow;
  /** The verdict at the same place in its file; undefined when there are fewer. */
  verdict: InboundVerdict | undefined;
}

/**
 * `bounce-corpus FOLDER [--part I/N] [--list]`: classifies FOLDER/samples and compares, row by row in the order of the file,
 * with FOLDER/expected.json. `--part 0/2` takes every second file by name, `1/2` the others; `--list` shows every row that differs.
 */
export async function bounceCorpus(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { part: { type: 'string', default: '0/1' }, list: { type: 'boolean' } },
  });
  const folder = positionals[0];
  if (folder === undefined) throw new Error('bounce-corpus FOLDER: the folder is missing');
  const expected = await readExpected(join(folder, 'expected.json'));
  const files = partOf([...expected.keys()].sort(), values.part);
  const pairs: Pair[] = [];
  let withoutVerdict = 0;
  let surplus = 0;
  for (const file of files) {
    const rows = expected.get(file) ?? [];
    const verdicts = await classify(join(folder, 'samples', file));
    if (verdicts.length === 0) withoutVerdict++;
    surplus += Math.max(0, verdicts.length - rows.length);
    pairs.push(...rows.map((row, index) => ({ file, expected: row, verdict: verdicts[index] })));
  }
  printConfusion(pairs);
  if (values.list) for (const pair of pairs.filter(differs)) console.log(describe(pair));
  console.log(`${surplus} verdicts beyond the expected rows`);
  console.log(
    JSON.stringify({
      files: files.length,
      rows: pairs.length,
      ...agreement(pairs),
      noVerdict: share(withoutVerdict, files.length),
    }),
  );
}

function partOf(files: readonly string[], part: string): string[] {
  const [wanted = 0, of = 1] = part.split('/').map(Number);
  return files.filter((_file, index) => index % of === wanted);
}

/** The verdicts on a file; taken for a person's answer, it has none: all of the corpus was written by machines. */
async function classify(path: string): Promise<InboundVerdict[]> {
  const verdicts = classifyInbound(parseInbound(await readFile(path), DEFAULT_INBOUND_LIMITS));
  return verdicts.filter(({ kind }) => kind !== 'reply');
}

function agreement(pairs: readonly Pair[]): {
  hardAgreement: number;
  categoryAgreement: number;
  recipientsFound: number;
} {
  const shareOf = (holds: (pair: Pair) => boolean): number => share(pairs.filter(holds).length, pairs.length);
  return {
    hardAgreement: shareOf(({ expected, verdict }) => verdict?.hard === expected.hard),
    categoryAgreement: shareOf(({ expected, verdict }) => agreesInCategory(expected, verdict)),
    recipientsFound: shareOf(({ verdict }) => typeof verdict?.recipient === 'string'),
  };
}

/** Rows: what is expected; columns: what was said. */
function printConfusion(pairs: readonly Pair[]): void {
  const tally = new Tally();
  for (const { expected, verdict } of pairs) tally.add(`${expectedCategory(expected)} ${saidBy(verdict)}`);
  const categories = ['fatal_bounce', 'bounce', 'temporary_bounce', 'autoresponder', 'unknown', 'delayed', 'none'];
  const row = (name: string, cells: readonly (string | number)[]): string =>
    name.padEnd(20) + cells.map((cell) => String(cell).padStart(17)).join('');
  console.log(row('expected \\ said', categories));
  for (const wanted of categories.slice(0, -2))
    console.log(
      row(
        wanted,
        categories.map((said) => tally.of(`${wanted} ${said}`)),
      ),
    );
}

function saidBy(verdict: InboundVerdict | undefined): string {
  return verdict?.kind === 'delayed' ? 'delayed' : (verdict?.category ?? 'none');
}

function differs({ expected, verdict }: Pair): boolean {
  return verdict?.hard !== expected.hard || !agreesInCategory(expected, verdict) || verdict?.recipient === null;
}

function describe({ file, expected, verdict }: Pair): string {
  const wanted = `${expected.status || '-'} ${expected.reason} ${expected.hard ? 'hard' : 'soft'}`;
  if (verdict === undefined) return `${file}: ${wanted} | none`;
  const { statusCode, smtpReply, kind, reason, hard, rule, recipient, diagnostic } = verdict;
  const said = `${statusCode ?? '-'} ${smtpReply ?? '-'} ${kind} ${reason} ${hard ? 'hard' : 'soft'} by ${rule} for ${recipient ?? 'nobody'}`;
  return `${file}: ${wanted} | ${said} | ${diagnostic.slice(0, 300)}`;
}
