import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type FileFault, FileRejected } from '@postloop/contracts';
import { CsvFault, numberRecords, type Row, readRows } from '@postloop/csv-dialect';
import {
  acceptProductFile,
  checkProductRows,
  copyIntoProductStaging,
  createProductStaging,
  type Database,
  dropHeaderRow,
  dropProductStaging,
  type ImportRow,
  type ProductFileKind,
  selectEarlierImports,
  storeProductVersion,
} from '@postloop/db';
import { killPoint } from '@postloop/service-kit';
import type { SftpSession } from '@postloop/sftp';
import { checkLedger } from './ledger.js';

/** A feed of 500,000 products fits; a column more than PostgreSQL's rows can hold does not. */
const MAX_COLUMNS = 500;

/** What a file in products/ holds, by its name: `…_products.csv` or `…_recommendations.csv`; undefined for neither. */
export function productFileKind(fileName: string): ProductFileKind | undefined {
  const kind = /_(products|recommendations)\.csv$/.exec(fileName)?.[1];
  return kind === 'products' || kind === 'recommendations' ? kind : undefined;
}

/**
 * Reads a product file (spec 3) into a version of its own, in one transaction: mailings that are built from then on take it,
 * those that began keep theirs. Safe to repeat. @throws FileRejected
 */
export async function importProducts(
  { db, sftp }: { db: Database; sftp: SftpSession },
  row: ImportRow,
  path: string,
): Promise<{ rows: bigint; repeated: bigint }> {
  const kind = productFileKind(row.fileName) ?? 'products';
  try {
    const header = await firstRow(sftp, path);
    const columns = readHeader(header, kind);
    const staged = await stage({ db, sftp }, row.id, path, columns.length);
    await dropHeaderRow(db.pool, row.id, header.line);
    checkLedger(row, await selectEarlierImports(db.pool, row, staged.sha256));
    return await db.transaction(async (sql) => {
      await checkProductRows(sql, row.id);
      const stored = await storeProductVersion(sql, { importId: row.id, clientId: row.clientId, kind, columns });
      await acceptProductFile(sql, row.id, { sha256: staged.sha256, rows: staged.rows, repeated: stored.repeated });
      await dropProductStaging(sql, row.id);
      return { rows: staged.rows, repeated: stored.repeated };
    });
  } catch (error) {
    await dropProductStaging(db.pool, row.id);
    throw error instanceof CsvFault ? new FileRejected([faultOf(error)]) : error;
  }
}

interface HeaderRow {
  line: number;
  values: Row;
}

async function firstRow(sftp: SftpSession, path: string): Promise<HeaderRow> {
  const stream = sftp.openRead(path);
  try {
    for await (const row of readRows(stream)) return row;
  } finally {
    stream.destroy();
  }
  throw new FileRejected([
    { code: 'empty_file', line: null, column: null, message: 'the file is empty.', remedy: 'Upload it with its rows.' },
  ]);
}

/** Names of the columns, as placeholders name them. @throws FileRejected with every fault */
export function readHeader({ line, values }: HeaderRow, kind: ProductFileKind): string[] {
  const names = values.map((name) => (name ?? '').trim().toLowerCase());
  const faults: FileFault[] = [];
  const complain = (column: number, message: string, remedy: string) =>
    faults.push({ code: 'header', line, column, message, remedy });
  if (names[0] !== 'id')
    complain(1, `the first column is "${names[0]?.slice(0, 60)}", not "id".`, 'Put the product ID first.');
  if (kind === 'recommendations' && names.length !== 2)
    complain(
      1,
      `there are ${names.length} columns.`,
      'Write two: "id" and "recommended", IDs with commas between them.',
    );
  if (names.length > MAX_COLUMNS)
    complain(MAX_COLUMNS + 1, 'there are too many columns.', `Send at most ${MAX_COLUMNS}.`);
  for (const [index, name] of names.entries()) {
    if (name === '') complain(index + 1, 'the column has no name.', 'Name it in the first line.');
    else if (names.indexOf(name) < index)
      complain(index + 1, `another column is named "${name.slice(0, 60)}".`, 'Name each differently.');
  }
  const [first, ...rest] = faults;
  if (first) throw new FileRejected([first, ...rest]);
  return names;
}

async function stage(
  { db, sftp }: { db: Database; sftp: SftpSession },
  importId: bigint,
  path: string,
  columns: number,
): Promise<{ sha256: Buffer; rows: bigint }> {
  await createProductStaging(db.pool, importId, columns);
  const hash = createHash('sha256');
  const hashed = new PassThrough();
  hashed.on('data', (chunk: Buffer) => hash.update(chunk));
  const { stream, counts } = numberRecords({ columns });
  const client = await db.pool.connect();
  let broken = true;
  try {
    await pipeline(sftp.openRead(path), hashed, stream, copyIntoProductStaging(client, importId, columns));
    broken = false;
    killPoint('importer.after-copy');
  } finally {
    client.release(broken); // a COPY that was cut off leaves its connection unusable
  }
  return { sha256: hash.digest(), rows: BigInt(counts.records) - 1n };
}

function faultOf({ code, line, column, message, remedy }: CsvFault): FileFault {
  return { code, line, column, message, remedy };
}
