import type { schedule_kind } from './generated/client.js';
import { type Sql, select } from './sql.js';

export interface Schedule {
  clientId: bigint;
  kind: schedule_kind;
  cron: string;
  timeZone: string;
  /** Null when the cron was not read yet: nothing is due, only the next time is to be set. */
  nextDueAt: Date | null;
}

/** Schedules whose time has come or is not known yet, locked to the end of the transaction; those that another scheduler holds are left out. */
export function selectDueSchedules(sql: Sql, now: Date): Promise<Schedule[]> {
  return select(
    sql,
    `SELECT s.client_id AS "clientId", s.kind, s.cron, c.time_zone AS "timeZone", s.next_due_at AS "nextDueAt"
       FROM schedule s JOIN client c ON c.id = s.client_id
      WHERE s.next_due_at <= $1 OR s.next_due_at IS NULL ORDER BY s.next_due_at NULLS FIRST LIMIT 100 FOR UPDATE OF s SKIP LOCKED`,
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

/** Sets when it is due without counting it as run. */
export async function setNextDue(sql: Sql, { clientId, kind }: ScheduleKey, nextDueAt: Date): Promise<void> {
  await sql.query('UPDATE schedule SET next_due_at = $3 WHERE client_id = $1 AND kind = $2', [
    clientId,
    kind,
    nextDueAt,
  ]);
}
