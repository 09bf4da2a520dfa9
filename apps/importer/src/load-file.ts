import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { FileRejected } from '@postloop/contracts';
import { CsvFault, type HeaderRule, RecordScanner } from '@postloop/csv-dialect';
import { type ListField, type NamedTexts, RecipientRows, type RecipientSink } from '@postloop/db';
import type { RowCorrections } from './corrections.js';
import { RepeatFilter } from './repeat-filter.js';

export interface FileForm {
  fields: readonly ListField[];
  header: 'none' | HeaderRule['mode'];
  /** Where the rows of a BROADMAIL_ID go; undefined: the file cannot be accepted. */
  mailingOf(broadmailId: string | null): bigint | undefined;
  corrections: RowCorrections;
}

/** A file whose rows stand in `mailing_recipient`: structure checked, values not. */
export interface LoadedFile {
  sha256: Buffer;
  rows: bigint;
  /** Fewer than there are, when some name what the file cannot be accepted with. */
  stored: bigint;
  blankLines: bigint;
  named: NamedTexts;
  /** Lines among which are all with a bad value, and all whose address stood before; undefined: any. */
  doubtful: readonly number[] | undefined;
  maybeRepeated: readonly number[] | undefined;
}

/** Streams a file through the record scanner into COPY: one pass, some chunks in memory. To be rolled back when it throws. */
export async function loadFile(
  source: AsyncIterable<Buffer>,
  sink: RecipientSink,
  { fields, header, mailingOf, corrections }: FileForm,
): Promise<LoadedFile> {
  const hash = createHash('sha256');
  const repeats = new RepeatFilter();
  const rows = new RecipientRows({
    ...{ fields, mailingOf },
    onAddress: (bytes, start, end, line) => repeats.add(bytes, start, end, line),
  });
  const names = fields.map(({ name }) => name);
  const scanner = new RecordScanner(
    { columns: names.length, ...(header === 'none' ? {} : { header: { mode: header, names } }) },
    (bytes, start, end, line) => {
      const corrected = corrections.take(line);
      if (corrected) rows.add(corrected, 0, corrected.length, line);
      else rows.add(bytes, start, end, line);
    },
  );
  let fault: unknown;
  // A COPY that is cut off breaks its connection: it ends as usual, and what it brought is rolled back.
  async function* encoded() {
    try {
      for await (const chunk of source) {
        hash.update(chunk);
        scanner.push(chunk);
        const taken = rows.take();
        if (taken) yield taken;
      }
      scanner.end();
    } catch (error) {
      fault = error;
    }
    yield rows.end();
  }
  await pipeline(encoded, sink);
  if (fault) throw fault instanceof CsvFault ? rejection(fault) : fault;
  if (scanner.records === 0) throw new FileRejected([EMPTY]);
  return {
    sha256: hash.digest(),
    rows: BigInt(scanner.records),
    stored: BigInt(sink.rowCount),
    blankLines: BigInt(scanner.blankLines),
    named: rows.named,
    doubtful: rows.doubtful.lines,
    maybeRepeated: repeats.lines,
  };
}

const EMPTY = {
  code: 'empty_file',
  line: null,
  column: null,
  message: 'the file has no rows.',
  remedy: 'Upload a file with recipients, under a new name.',
} as const;

function rejection({ code, line, column, message, remedy }: CsvFault): FileRejected {
  return new FileRejected([{ code, line, column, message, remedy }]);
}
