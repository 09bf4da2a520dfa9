import { CsvFault } from './csv-fault.js';
import type { Row } from './row.js';

/** What the first row of a file is (spec 2): `present`: the names of the columns; `auto`: the names if it looks like them. */
export interface HeaderRule {
  mode: 'present' | 'auto';
  /** Names of the columns in their order. Compared trimmed, upper and lower case alike. */
  names: readonly string[];
}

/**
 * Whether the first row is the header. `auto`: when every value is the name of its column.
 * @throws CsvFault naming the first column that differs, when a header must be there
 */
export function isHeader(row: Row, { mode, names }: HeaderRule, line: number): boolean {
  const length = Math.max(row.length, names.length);
  const differing = Array.from({ length }, (_, at) => at).find((at) => !sameName(row[at], names[at]));
  if (differing === undefined) return true;
  if (mode === 'auto') return false;
  throw new CsvFault('header', line, differing + 1, describe(row[differing], names[differing]));
}

function describe(found: string | null | undefined, wanted: string | undefined): string {
  if (wanted === undefined) return `the header has a column ${quoted(found)} that the recipient list has not.`;
  const there = `the recipient list has ${quoted(wanted)} there.`;
  return found === undefined
    ? `the header ends before this column; ${there}`
    : `the header has ${quoted(found)}; ${there}`;
}

const SHOWN = 60;
const quoted = (name: string | null | undefined): string => JSON.stringify((name ?? '').slice(0, SHOWN));

const sameName = (a: string | null | undefined, b: string | undefined): boolean =>
  typeof a === 'string' && b !== undefined && normalise(a) === normalise(b);
const normalise = (name: string): string => name.normalize('NFC').trim().toLowerCase();
