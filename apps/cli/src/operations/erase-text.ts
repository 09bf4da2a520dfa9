import { CsvFault, RecordScanner } from '@postloop/csv-dialect';
import { ERASED } from '@postloop/db';

/** Finds an address in text, whatever its case. Addresses are ASCII, so bytes may be read as latin1. */
export interface Finder {
  in(text: string): boolean;
  /** The text with `[erased]` in its place. */
  replaced(text: string): string;
}

/** @param address trimmed, in lower case */
export function finderOf(address: string): Finder {
  const pattern = address.replace(/[^a-z0-9]/g, '\\$&');
  return {
    in: (text) => text.toLowerCase().includes(address),
    replaced: (text) => text.replace(new RegExp(pattern, 'gi'), ERASED),
  };
}

/** Is the address in the stream? Reads it to the end, or to the first place. */
export async function mentions(source: AsyncIterable<Buffer>, address: string): Promise<boolean> {
  let tail = '';
  for await (const chunk of source) {
    const text = (tail + chunk.toString('latin1')).toLowerCase();
    if (text.includes(address)) return true;
    tail = text.slice(-address.length);
  }
  return false;
}

/**
 * A recipient file without the records that hold the address. Their lines stay, empty: faults and corrected rows name lines of
 * the file. A file whose quoting is broken loses the lines that hold the address.
 */
export async function* withoutRecords(source: AsyncIterable<Buffer>, finder: Finder): AsyncGenerator<Buffer> {
  let out: Buffer[] = [];
  let next = 1;
  const scanner = new RecordScanner({}, (bytes, start, end, line) => {
    out.push(emptyLines(line - next));
    const record = bytes.subarray(start, end);
    const breaks = record.filter((byte) => byte === LF).length;
    if (finder.in(record.toString('latin1'))) out.push(emptyLines(1 + breaks));
    else out.push(Buffer.from(record), LINE_END);
    next = line + 1 + breaks;
  });
  for await (const chunk of source) {
    scanner.push(chunk);
    yield Buffer.concat(out);
    out = [];
  }
  scanner.end();
  yield Buffer.concat(out);
}

/** The same for a file that is no CSV file of ours. */
export async function* withoutLines(source: AsyncIterable<Buffer>, finder: Finder): AsyncGenerator<Buffer> {
  let rest = '';
  for await (const chunk of source) {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    yield Buffer.from(lines.map((line) => `${finder.in(line) ? '' : line}\n`).join(''), 'latin1');
  }
  yield Buffer.from(finder.in(rest) ? '' : rest, 'latin1');
}

/** Are the file's records whole, so that `withoutRecords` can tell them apart? */
export async function isWellFormed(source: AsyncIterable<Buffer>): Promise<boolean> {
  const scanner = new RecordScanner({}, () => undefined);
  try {
    for await (const chunk of source) scanner.push(chunk);
    scanner.end();
    return true;
  } catch (error) {
    if (error instanceof CsvFault) return false;
    throw error;
  }
}

/** An error file in JSON: the quoted rows go whole, for they hold more of the person than the address. */
export function withoutRawRows(json: string, finder: Finder): string {
  const told: { faults: { rawRow: string | null }[] } = JSON.parse(json);
  const faults = told.faults.map((fault) =>
    fault.rawRow !== null && finder.in(fault.rawRow) ? { ...fault, rawRow: null } : fault,
  );
  return finder.replaced(`${JSON.stringify({ ...told, faults }, null, 2)}\n`);
}

const LF = 0x0a;
const LINE_END = Buffer.from('\n');
const emptyLines = (count: number): Buffer => Buffer.alloc(count, LF);
