import { type FileFault, logsPath } from '@postloop/contracts';
import { formatRow } from '@postloop/csv-dialect';
import { type ImportRow, type Sql, selectCorrections } from '@postloop/db';
import { SftpNotFound, type SftpSession } from '@postloop/sftp';
import { readRawRows } from './raw-rows.js';

/** A fault, and the row that it is in, as it came. */
type ToldFault = FileFault & { rawRow: string | null };

const pathsOf = (row: ImportRow): { csv: string; json: string } => {
  const path = `${logsPath(row.clientDirectory)}/${row.fileName}.error`;
  return { csv: `${path}.csv`, json: `${path}.json` };
};

/** Writes `<name>.error.csv` (spec 6) and its twin `<name>.error.json`. `path`: where the file lies, null when it is gone. */
export async function writeErrorFiles(
  { sql, sftp }: { sql: Sql; sftp: SftpSession },
  row: ImportRow,
  path: string | null,
): Promise<void> {
  const faults = row.faults ?? [];
  const lines = linesOf(faults);
  const rows = path === null || lines.size === 0 ? new Map() : await readRawRows(sftp.openRead(path), lines);
  for (const { line, values } of await selectCorrections(sql, row.id, [...lines]))
    rows.set(Number(line), formatRow(values).trimEnd());
  const told = faults.map((fault) => ({ ...fault, rawRow: (isOfFile(fault) && rows.get(fault.line ?? 0)) || null }));
  const paths = pathsOf(row);
  await sftp.makeDirectories([logsPath(row.clientDirectory)]);
  await sftp.putAtomic(paths.csv, errorCsv(told), { replace: true });
  await sftp.putAtomic(paths.json, errorJson(row, told), { replace: true });
}

/** What they told is over: the import went on. */
export async function removeErrorFiles(sftp: SftpSession, row: ImportRow): Promise<void> {
  for (const path of Object.values(pathsOf(row)))
    await sftp.remove(path).catch((error: unknown) => {
      if (!(error instanceof SftpNotFound)) throw error;
    });
}

/** A template's lines are those of the source mailing. */
const isOfFile = ({ code }: FileFault): boolean => code !== 'template';

const linesOf = (faults: readonly FileFault[]): Set<number> =>
  new Set(faults.filter(isOfFile).flatMap(({ line }) => line ?? []));

export function errorCsv(faults: readonly ToldFault[]): Buffer {
  const rows = faults.map(({ line, column, code, message, rawRow, remedy }) => [
    line?.toString() ?? null,
    column?.toString() ?? null,
    code,
    harmless(message),
    rawRow === null ? null : harmless(rawRow),
    harmless(remedy),
  ]);
  return Buffer.from([['line', 'column', 'code', 'message', 'raw row', 'remedy'], ...rows].map(formatRow).join(''));
}

export function errorJson(row: Pick<ImportRow, 'id' | 'directory' | 'fileName'>, faults: readonly ToldFault[]): Buffer {
  const { id, directory, fileName } = row;
  const told = faults.map(({ line, column, code, message, rawRow, remedy }) => ({
    line,
    column,
    code,
    message,
    rawRow,
    remedy,
  }));
  return Buffer.from(`${JSON.stringify({ importId: id.toString(), directory, fileName, faults: told }, null, 2)}\n`);
}

/**
 * For people who open it in a spreadsheet: a row that came from outside is no formula there (CWE-1236), and no control
 * character of it reaches a terminal. The JSON file has it as it was.
 */
function harmless(text: string): string {
  const printable = text.replace(/[^\P{Cc}\n\t]/gu, '\ufffd');
  return /^[=+\-@\t]/.test(printable) ? `'${printable}` : printable;
}
