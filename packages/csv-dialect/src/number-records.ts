import { Transform } from 'node:stream';
import { type OnRecord, RecordScanner, type ScannerOptions } from './record-scanner.js';

/** Digits of a line number and its separator. */
const PREFIX_ROOM = 21;

/**
 * The fast way in: passes a file's bytes on as they are, each record with its line number in front (`12;a@b.example;…`), ready
 * for COPY in CSV mode, which tells NULL and `""` apart by the quotes as this dialect does. `counts` is complete when the
 * stream has ended. `onRecord` is told every record besides. Errors with CsvFault.
 */
export function numberRecords(
  options: ScannerOptions,
  onRecord?: OnRecord,
): {
  stream: Transform;
  counts: { records: number; blankLines: number };
} {
  let out: Buffer = Buffer.alloc(0);
  let used = 0;
  const scanner = new RecordScanner(options, (bytes, start, end, line) => {
    onRecord?.(bytes, start, end, line);
    const needed = used + end - start + PREFIX_ROOM + 1;
    if (needed > out.length) out = grow(out, used, needed);
    used = writeLine(out, used, line);
    used += bytes.copy(out, used, start, end);
    out[used] = 0x0a;
    used += 1;
  });
  const flush = (stream: Transform) => {
    if (used > 0) stream.push(out.subarray(0, used));
    out = Buffer.alloc(0);
    used = 0;
  };
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      attempt(done, () => {
        out = Buffer.allocUnsafe(Math.ceil(chunk.length * 1.25) + PREFIX_ROOM);
        scanner.push(chunk);
        flush(this);
      });
    },
    flush(done) {
      attempt(done, () => {
        scanner.end();
        flush(this);
      });
    },
  });
  return { stream, counts: scanner };
}

/** `12;` digit by digit: a string per row would be most of the garbage. @returns where it ends */
function writeLine(out: Buffer, start: number, line: number): number {
  let end = start + 1;
  for (let left = line; left >= 10; left = Math.floor(left / 10)) end += 1;
  out[end] = 0x3b;
  for (let at = end - 1, left = line; at >= start; at -= 1) {
    const rest = Math.floor(left / 10);
    out[at] = 0x30 + left - rest * 10;
    left = rest;
  }
  return end + 1;
}

function grow(buffer: Buffer, used: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafe(needed * 2);
  buffer.copy(larger, 0, 0, used);
  return larger;
}

function attempt(done: (error?: Error) => void, work: () => void): void {
  try {
    work();
  } catch (error) {
    done(error as Error);
    return;
  }
  done();
}
