import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { describeError } from '@postloop/contracts';
import { CsvFault, formatRow, type Row, readRows } from '@postloop/csv-dialect';
import {
  addSuppressions,
  type Database,
  type Suppression,
  type SuppressionLine,
  type SuppressionReason,
  selectSuppressions,
  suppressionProblem,
  suppressionReasons,
} from '@postloop/db';
import { type FileProblem, throwProblems } from '../customer-files/customer-file-error.js';
import { Problem } from '../support/problem.js';

// A suppression file: the dialect of spec 2 without a header; an address or pattern, and if one likes its reason.

/** More faults than these are seldom others. */
const MAX_PROBLEMS = 20;
const LINES_AT_ONCE = 5_000;
const PAGE = 10_000;
const REASONS = `Write one of ${suppressionReasons.join(', ')}, or leave the column out.`;

const isReason = (text: string): text is SuppressionReason => suppressionReasons.some((reason) => reason === text);

/**
 * Reads a file to its end and keeps nothing of it. @returns its entries
 * @throws CustomerFileError with line, column and remedy of its faults; Problem when it cannot be read
 */
export async function checkSuppressionFile(file: string, reason?: SuppressionReason): Promise<number> {
  const problems: FileProblem[] = [];
  let entries = 0;
  try {
    for await (const { line, values } of readRows(readFile(file))) {
      entries += 1;
      const fault = faultOf(values, reason);
      if (fault) problems.push(problemAt(file, line, fault));
      if (problems.length === MAX_PROBLEMS) break;
    }
  } catch (error) {
    if (!(error instanceof CsvFault)) throw error;
    problems.push(problemAt(file, error.line, error));
  }
  throwProblems(problems);
  return entries;
}

/**
 * Adds the entries of a file that was checked, some thousands per transaction: stopped half-way, it can be imported again.
 * @param reason of those that name none
 */
export async function importSuppressionFile(
  db: Database,
  clientId: bigint,
  file: string,
  reason: SuppressionReason | undefined,
  onProgress: (entries: number) => void,
): Promise<{ added: number; known: number }> {
  const total = { added: 0, known: 0 };
  for await (const lines of chunks(file, reason)) {
    const { added, known, refused } = await addSuppressions(db, clientId, lines);
    if (refused.length > 0) throw new Problem(`${file} changed while it was imported`, 'Import it again.');
    total.added += added;
    total.known += known;
    onProgress(total.added + total.known);
  }
  return total;
}

async function* chunks(file: string, reason: SuppressionReason | undefined): AsyncGenerator<SuppressionLine[]> {
  let lines: SuppressionLine[] = [];
  for await (const { values } of readRows(readFile(file))) {
    lines.push(lineOf(values, reason));
    if (lines.length < LINES_AT_ONCE) continue;
    yield lines;
    lines = [];
  }
  if (lines.length > 0) yield lines;
}

interface Fault {
  column: number | null;
  message: string;
  remedy: string;
}

function faultOf(values: Row, fallback: SuppressionReason | undefined): Fault | null {
  const [entry, reason] = values;
  if (values.length > 2)
    return { column: 3, message: 'there are more than two columns.', remedy: 'Give an entry and its reason only.' };
  if (reason && !isReason(reason)) return { column: 2, message: `"${reason}" is no reason.`, remedy: REASONS };
  const problem = suppressionProblem(lineOf(values, fallback));
  if (problem === null) return null;
  return { column: 1, message: `"${entry ?? ''}" ${problem}.`, remedy: 'Give an address, or a pattern with * and ?.' };
}

function lineOf([entry, reason]: Row, fallback: SuppressionReason | undefined): SuppressionLine {
  const known = reason && isReason(reason) ? reason : fallback;
  return { entry: entry ?? '', ...(known === undefined ? {} : { reason: known }) };
}

function problemAt(file: string, line: number, { column, message, remedy }: Fault): FileProblem {
  return { file, path: column === null ? `line ${line}` : `line ${line}, column ${column}`, message, remedy };
}

async function* readFile(file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file);
  } catch (error) {
    if (error instanceof CsvFault) throw error;
    throw new Problem(`${file} cannot be read: ${describeError(error)}`, 'Check its name and who may read it.', 2);
  }
}

/** The next pages of a client's list, by entry. */
export async function* suppressionPages(
  { pool }: Database,
  clientId: bigint,
  reason: SuppressionReason | undefined,
): AsyncGenerator<Suppression[]> {
  let after: Suppression | undefined;
  for (;;) {
    const page = await selectSuppressions(pool, clientId, {
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
      ...(reason === undefined ? {} : { reason }),
    });
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
    after = page.at(-1);
  }
}

/** Writes what `importSuppressionFile` reads; the file is there whole, or not at all. @returns its entries */
export async function writeSuppressionFile(file: string, pages: AsyncIterable<Suppression[]>): Promise<number> {
  const temporary = `${file}.part`;
  try {
    const entries = await writePages(temporary, pages);
    await rename(temporary, file);
    return entries;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writePages(file: string, pages: AsyncIterable<Suppression[]>): Promise<number> {
  // Addresses of people: nobody else's to read.
  await using target = await open(file, 'w', 0o600);
  let entries = 0;
  for await (const page of pages) {
    await target.appendFile(page.map(({ entry, reason }) => formatRow([entry, reason])).join(''));
    entries += page.length;
  }
  return entries;
}
