import type { schedule_kind } from './generated/client.js';
import { type Sql, select } from './sql.js';

export interface Schedule {
  clientId: bigint;
  kind: schedule_kind;
  cron: string;
  timeZone: string;
  /** Null when it is not known, or no more: nothing is due, only the next time is to be set. */
  nextDueAt: Date | null;
}

/**
 * Schedules whose time has come or is not known, locked to the end of the transaction; those that another scheduler holds are left out. One
 * that ran in the future belongs to a clock that was set back since: when it is due is not known any more. (The minute is for
 * schedulers whose clocks differ.)
 */
export function selectDueSchedules(sql: Sql, now: Date): Promise<Schedule[]> {
  return select(
    sql,
    `SELECT s.client_id AS "clientId", s.kind, s.cron, c.time_zone AS "timeZone",
            CASE WHEN s.last_run_at > $1::timestamptz + interval '1 minute' THEN NULL ELSE s.next_due_at END AS "nextDueAt"
       FROM schedule s JOIN client c ON c.id = s.client_id
      WHERE s.next_due_at <= $1 OR s.next_due_at IS NULL OR s.last_run_at > $1::timestamptz + interval '1 minute'
      ORDER BY s.next_due_at NULLS FIRST LIMIT 100 FOR UPDATE OF s SKIP LOCKED`,
    [now],
  );
}

type ScheduleKey = Pick<Schedule, 'clientId' | 'kind'>;

/** It ran: when, and when next. */
export async function setScheduleRun(
  sql: Sql,
  { clientId, kind }: ScheduleKey,
  ranAt: Date,
  nextDueAt: Date,
): Promise<void> {
  await sql.query('UPDATE schedule SET last_run_at = $3, next_due_at = $4 WHERE client_id = $1 AND kind = $2', [
    clientId,
    kind,
    ranAt,
    nextDueAt,
  ]);
}

/** Sets when it is due without counting it as run. A run that lies in the future by this clock is none either. */
export async function setNextDue(sql: Sql, { clientId, kind }: ScheduleKey, nextDueAt: Date, now: Date): Promise<void> {
  await sql.query(
    `UPDATE schedule SET next_due_at = $3, last_run_at = CASE WHEN last_run_at <= $4 THEN last_run_at END
      WHERE client_id = $1 AND kind = $2`,
    [clientId, kind, nextDueAt, now],
  );
}
