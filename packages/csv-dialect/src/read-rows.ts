import { RecordScanner, type ScannerOptions } from './record-scanner.js';
import { decodeRecord, type Row } from './row.js';

/** The exact way in: every row with its values. For small files; large ones go through `numberRecords`. */
export async function* readRows(
  source: AsyncIterable<Buffer>,
  options: ScannerOptions = {},
): AsyncGenerator<{ line: number; values: Row }> {
  let found: { line: number; values: Row }[] = [];
  const scanner = new RecordScanner(options, (bytes, start, end, line) =>
    found.push({ line, values: decodeRecord(bytes, start, end) }),
  );
  for await (const chunk of source) {
    scanner.push(chunk);
    yield* found;
    found = [];
  }
  scanner.end();
  yield* found;
}
