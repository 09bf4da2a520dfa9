import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FileRejected } from '@postloop/contracts';
import { CsvFault, numberRecords } from '@postloop/csv-dialect';
import {
  copyIntoStaging,
  createStaging,
  type Database,
  type ImportRow,
  type ListField,
  selectClientSettings,
  selectMasterList,
} from '@postloop/db';
import { killPoint } from '@postloop/service-kit';
import type { SftpSession } from '@postloop/sftp';
import { RepeatFilter } from './repeat-filter.js';

/** A file whose rows stand in staging, structure checked, values not. */
export interface StagedFile {
  masterListId: bigint;
  fields: ListField[];
  sha256: Buffer;
  rows: bigint;
  blankLines: bigint;
  /** Lines among which are all whose address stood before in the file; undefined: any. */
  maybeRepeated: readonly number[] | undefined;
}

/** Streams the file through the record scanner into COPY: one pass, one chunk in memory. Throws FileRejected. */
export async function stageFile(
  { db, sftp }: { db: Database; sftp: SftpSession },
  row: ImportRow,
  path: string,
): Promise<StagedFile> {
  const list = await selectMasterList(db.pool, row.clientId);
  if (!list) throw new Error(`client ${row.clientId} has no master list: apply its client.json`);
  await createStaging(db.pool, row.id, list.fields);
  const hash = createHash('sha256');
  const hashed = new PassThrough();
  hashed.on('data', (chunk: Buffer) => hash.update(chunk));
  const { header } = (await selectClientSettings(db.pool, row.clientId)).files;
  const names = list.fields.map(({ name }) => name);
  const repeats = new RepeatFilter(list.fields.findIndex(({ role }) => role === 'email'));
  const { stream, counts } = numberRecords(
    { columns: names.length, ...(header === 'none' ? {} : { header: { mode: header, names } }) },
    (bytes, start, end, line) => repeats.add(bytes, start, end, line),
  );
  const client = await db.pool.connect();
  let broken = true;
  try {
    await pipeline(sftp.openRead(path), hashed, stream, copyIntoStaging(client, row.id, list.fields));
    broken = false;
  } catch (error) {
    throw error instanceof CsvFault ? rejection(error) : error;
  } finally {
    client.release(broken); // a COPY that was cut off leaves its connection unusable
  }
  killPoint('importer.after-copy');
  if (counts.records === 0) throw new FileRejected([EMPTY]);
  return {
    masterListId: list.id,
    fields: list.fields,
    sha256: hash.digest(),
    rows: BigInt(counts.records),
    blankLines: BigInt(counts.blankLines),
    // A row that was corrected since did not come by.
    maybeRepeated: row.restartedAt ? undefined : repeats.lines,
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
