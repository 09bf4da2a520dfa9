import type { FileFault } from '@postloop/contracts';
import type { DeliveryStatus } from './delivery.js';
import type { RecordedEvent } from './event.js';
import type { ImportStatus } from './import.js';
import { type Sql, select, selectOptional } from './sql.js';

// Figures for people. They count rows, so nothing on the way of a mail or an event asks for them.

export interface ImportReport {
  id: bigint;
  fileName: string;
  status: ImportStatus;
  rows: bigint;
  queued: bigint;
  suppressed: bigint;
  invalid: bigint;
  duplicate: bigint;
  faults: FileFault[] | null;
}

/** The newest import of a file name. */
export function selectImportReport(sql: Sql, clientId: bigint, fileName: string): Promise<ImportReport | undefined> {
  return selectOptional(
    sql,
    `SELECT id, file_name AS "fileName", status, rows, queued, suppressed, invalid, duplicate, faults
       FROM import WHERE client_id = $1 AND file_name = $2 ORDER BY id DESC LIMIT 1`,
    [clientId, fileName],
  );
}

/** Recipients of an import's mailings that a sender has touched, by what became of them. */
export async function selectDeliveryCounts(
  sql: Sql,
  importId: bigint,
): Promise<Partial<Record<DeliveryStatus, number>>> {
  const rows = await select<{ status: DeliveryStatus; count: number }>(
    sql,
    `SELECT d.status, count(*)::float8 AS count FROM mailing m JOIN delivery d ON d.mailing_id = m.id WHERE m.import_id = $1 GROUP BY 1`,
    [importId],
  );
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}

/** Recorded events of a client's mailings. */
export async function selectEventCounts(sql: Sql, clientId: bigint): Promise<Record<RecordedEvent['kind'], number>> {
  const rows = await select<{ kind: RecordedEvent['kind']; count: number }>(
    sql,
    'SELECT kind, count(*)::float8 AS count FROM event WHERE client_id = $1 GROUP BY 1',
    [clientId],
  );
  return { open: 0, click: 0, unsubscribe: 0, ...Object.fromEntries(rows.map(({ kind, count }) => [kind, count])) };
}
