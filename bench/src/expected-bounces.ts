import { readFile } from 'node:fs/promises';
import type { InboundVerdict, ResponseCategory } from '@postloop/mail-domain/inbound';

/** One recipient of a file in the corpus's `expected.json`. */
export interface ExpectedRow {
  /** Enhanced status code, also of the corpus's own making; '' for what is no bounce. */
  status: string;
  reply: string;
  reason: string;
  hard: boolean;
  feedbackType: string;
}

/** @returns rows by file name */
export async function readExpected(path: string): Promise<Map<string, ExpectedRow[]>> {
  const content: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (typeof content !== 'object' || content === null) throw new Error(`${path} is no object of files`);
  return new Map(Object.entries(content).map(([file, rows]) => [file, rowsOf(rows, file)]));
}

function rowsOf(rows: unknown, file: string): ExpectedRow[] {
  if (!Array.isArray(rows)) throw new Error(`${file}: no list of rows`);
  return rows.map((row: unknown) => {
    if (!isRow(row)) throw new Error(`${file}: a row without status, reason or hard`);
    return row;
  });
}

function isRow(row: unknown): row is ExpectedRow {
  if (typeof row !== 'object' || row === null) return false;
  const { status, reason, hard } = row as Partial<Record<keyof ExpectedRow, unknown>>;
  return typeof status === 'string' && typeof reason === 'string' && typeof hard === 'boolean';
}

/**
 * The corpus's expectation as one of Postloop's five categories: answers of robots are `autoresponder`; complaints and reports
 * of success, which are no bounces, `unknown`; what is hard `fatal_bounce`; the rest goes by the class of its status, 4
 * `temporary_bounce`, 5 `bounce`.
 */
export function expectedCategory({ status, reason, hard }: ExpectedRow): ResponseCategory {
  if (reason === 'vacation') return 'autoresponder';
  if (reason === 'feedback' || reason === 'delivered') return 'unknown';
  if (hard) return 'fatal_bounce';
  return status.startsWith('4') ? 'temporary_bounce' : 'bounce';
}

/**
 * Whether a verdict has the expected category. The corpus counts notices of delay as soft rows without telling them apart;
 * Postloop counts them as no bounce, so a verdict `delayed` agrees with a soft row of class 4 or of reason `expired`.
 */
export function agreesInCategory(expected: ExpectedRow, verdict: InboundVerdict | undefined): boolean {
  if (verdict?.kind !== 'delayed') return verdict?.category === expectedCategory(expected);
  return !expected.hard && (expected.status.startsWith('4') || expected.reason === 'expired');
}
