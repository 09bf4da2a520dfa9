import type { ExportRun } from './export.js';
import { loadSql, type Sql, select } from './sql.js';

// Traceparents (W3C Trace Context) of the spans that claimed files. Asked for only while traces are kept.

interface Claimed {
  traceparent: string;
}

const textOf = (rows: Claimed[]): string[] => rows.map(({ traceparent }) => traceparent);

/** The trace of an import; empty when it was claimed without one. */
export async function selectTraceOfImport(sql: Sql, importId: bigint): Promise<string[]> {
  return textOf(
    await select(sql, 'SELECT traceparent FROM import WHERE id = $1 AND traceparent IS NOT NULL', [importId]),
  );
}

/** The traces of the imports that these mailings were made for; at most 100. */
export async function selectTracesOfMailings(sql: Sql, mailingIds: readonly bigint[]): Promise<string[]> {
  return textOf(
    await select(
      sql,
      `SELECT DISTINCT i.traceparent FROM mailing m JOIN import i ON i.id = m.import_id
        WHERE m.id = ANY($1) AND i.traceparent IS NOT NULL LIMIT 100`,
      [[...new Set(mailingIds)]],
    ),
  );
}

const OF_EXPORT = loadSql(import.meta.url, 'traceparent-of-export.sql');

/** The traces of the imports that an export tells of: its finished mailings, and those of its events; at most 100. */
export async function selectTracesOfExport(sql: Sql, run: ExportRun): Promise<string[]> {
  return textOf(await select(sql, OF_EXPORT, [run.clientId, run.fromTicket, run.toTicket]));
}
