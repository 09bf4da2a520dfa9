import { createReadStream } from 'node:fs';
import { CsvFault, type Row, readRows } from '@postloop/csv-dialect';
import { NO_DATA, type RenderData } from '@postloop/mail-domain';
import { Problem } from '../support/problem.js';

/** Product data of a preview: as the client would upload them, or nothing. */
export interface PreviewProducts {
  /** Null: no file was named. */
  columns: string[] | null;
  data: RenderData;
}

/** Reads product files as they lie in products/. @throws Problem */
export async function readPreviewProducts(
  products: string | undefined,
  recommendations: string | undefined,
): Promise<PreviewProducts> {
  const [columns, ...rows] = products === undefined ? [null] : await readTable(products);
  const [, ...maps] = recommendations === undefined ? [] : await readTable(recommendations);
  const byId = new Map(rows.map((row) => [idOf(row), Object.fromEntries(namedValues(columns ?? [], row))]));
  return {
    columns,
    data: {
      ...NO_DATA,
      product: (id) => byId.get(id),
      recommendations: (id) => maps.filter((row) => idOf(row) === id).flatMap(([, ids]) => listOf(ids ?? '')),
    },
  };
}

const listOf = (ids: string): string[] => ids.split(',').map((id) => id.trim());
const idOf = ([id]: Row): string => (id ?? '').trim();

const namedValues = (columns: readonly string[], row: Row): [string, string][] =>
  columns.flatMap((column, i): [string, string][] => {
    const value = row[i] ?? null;
    return value === null ? [] : [[column, value]];
  });

/** The names of the columns, and the rows. */
async function readTable(file: string): Promise<[string[], ...Row[]]> {
  const rows: Row[] = [];
  try {
    for await (const { values } of readRows(createReadStream(file))) rows.push(values);
  } catch (error) {
    if (!(error instanceof CsvFault)) throw error;
    throw new Problem(`${file}: line ${error.line}: ${error.message}`, error.remedy, 1, { cause: error });
  }
  const [header = [], ...data] = rows;
  const columns = header.map((name) => (name ?? '').trim().toLowerCase());
  if (columns[0] !== 'id') throw new Problem(`${file} has no header "id;…"`, 'Name the columns in the first line.');
  return [columns, ...data];
}
