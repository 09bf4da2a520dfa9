import { type Clock, describeError } from '@postloop/contracts';
import { type Database, type Schedule, type Sql, selectDueSchedules, setNextDue, setScheduleRun } from '@postloop/db';
import type { Producer } from '@postloop/queue';
import type { Logger } from '@postloop/service-kit';
import type { Metrics } from './metrics.js';
import { nextDue } from './next-due.js';

export interface ScheduleDeps {
  db: Database;
  producer: Pick<Producer, 'enqueue'>;
  clock: Clock;
  log: Pick<Logger, 'error'>;
  metrics: Metrics;
  /** Crons that were complained about already, as `client kind cron`: each is said once. */
  complained: Set<string>;
}

const HOUR_MS = 3_600_000;

/**
 * Enqueues what is due and says when it is due next. A schedule whose job could not be enqueued stays due. When the
 * process dies in between, the same job is enqueued again, which changes nothing.
 * @returns how many schedules ran
 */
export async function runDueSchedules(deps: ScheduleDeps): Promise<number> {
  return deps.db.transaction(async (sql) => {
    const now = deps.clock.now();
    let ran = 0;
    for (const schedule of await selectDueSchedules(sql, now)) {
      const next = await readCron(deps, sql, schedule, now);
      if (!next) continue;
      if (schedule.nextDueAt === null) {
        await setNextDue(sql, schedule, next, now);
        continue;
      }
      if (!(await enqueue(deps, schedule))) break;
      await setScheduleRun(sql, schedule, now, next);
      deps.metrics.schedulesRun.inc({ kind: schedule.kind });
      ran += 1;
    }
    return ran;
  });
}

function enqueue({ producer }: ScheduleDeps, { kind, clientId }: Schedule): Promise<boolean> {
  switch (kind) {
    case 'inbox_poll':
      return producer.enqueue('inboxPoll', { v: 1, clientId });
    case 'response_export':
      return producer.enqueue('responseExport', { v: 1, clientId, resume: false });
  }
}

/** When it is due next; a cron that cannot be read is logged once and looked at again in an hour. */
async function readCron(
  { log, complained }: ScheduleDeps,
  sql: Sql,
  schedule: Schedule,
  now: Date,
): Promise<Date | undefined> {
  const { clientId, kind, cron, timeZone } = schedule;
  try {
    return nextDue(cron, timeZone, now);
  } catch (error) {
    await setNextDue(sql, schedule, new Date(now.getTime() + HOUR_MS), now);
    const name = `${clientId} ${kind} ${cron}`;
    if (!complained.has(name)) {
      log.error(
        { clientId, kind, cron, timeZone, error: describeError(error) },
        'this schedule cannot be read and does not run: correct it',
      );
      complained.add(name);
    }
    return undefined;
  }
}
