import { pipeline, Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { createGzip } from 'node:zlib';
import type { ExportRun } from '@postloop/db';

type Format = Pick<ExportRun['settings'], 'lineBreak' | 'encoding' | 'gzip'>;

/** What happened to the content on the way. */
export interface FormatReport {
  /** Characters that the encoding does not have, written as `?`. */
  replaced: number;
}

/** Turns records in UTF-8, each ended by LF, into the bytes of the file that the client wants. */
export function formatted(
  records: AsyncIterable<Buffer>,
  { lineBreak, encoding, gzip }: Format,
  report: FormatReport,
): AsyncIterable<Buffer> {
  const lines = lineBreak === 'crlf' ? withCrlf(records) : records;
  const encoded = encoding === 'iso-8859-1' ? latin1(lines, report) : lines;
  const marked = encoding === 'utf-8-bom' ? withByteOrderMark(encoded) : encoded;
  return gzip ? gzipped(marked) : marked;
}

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * CRLF between records; a value keeps its line breaks. A quote inside a quoted value is doubled, so switching at every quote
 * is exact, wherever chunks are cut.
 */
export async function* withCrlf(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let quoted = false;
  for await (const chunk of source) {
    const out = Buffer.allocUnsafe(chunk.length * 2);
    let length = 0;
    for (const byte of chunk) {
      if (byte === QUOTE) quoted = !quoted;
      else if (byte === LINE_FEED && !quoted) out[length++] = CARRIAGE_RETURN;
      out[length++] = byte;
    }
    yield out.subarray(0, length);
  }
}

/**
 * ISO-8859-1. What it does not have becomes `?`, a character for a character: one address or link must not hold up a client's
 * files, as COPY's own ENCODING does with an error. `?` is no delimiter, quote or line break, so records stay as they are.
 */
export async function* latin1(source: AsyncIterable<Buffer>, report: FormatReport): AsyncGenerator<Buffer> {
  const decoder = new StringDecoder('utf8');
  for await (const chunk of source) yield Buffer.from(replaceUnknown(decoder.write(chunk), report), 'latin1');
}

function replaceUnknown(text: string, report: FormatReport): string {
  return text.replace(/[^\0-\u00ff]/gu, () => {
    report.replaced += 1;
    return '?';
  });
}

async function* withByteOrderMark(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield Buffer.from([0xef, 0xbb, 0xbf]);
  yield* source;
}

/** In equal pieces, so that the same content is the same bytes however it arrived. (Another zlib may compress otherwise.) */
function gzipped(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const content = Readable.from(inBlocks(source), { objectMode: false });
  // A failure of the source ends in the reader of the returned stream.
  return pipeline(content, createGzip(), () => undefined);
}

const BLOCK = 64 * 1024;

async function* inBlocks(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let length = 0;
  for await (const chunk of source) {
    pending.push(chunk);
    length += chunk.length;
    if (length < BLOCK) continue;
    const bytes = Buffer.concat(pending);
    const whole = length - (length % BLOCK);
    for (let start = 0; start < whole; start += BLOCK) yield bytes.subarray(start, start + BLOCK);
    pending = [bytes.subarray(whole)];
    length -= whole;
  }
  if (length > 0) yield Buffer.concat(pending);
}
