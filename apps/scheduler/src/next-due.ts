import { CronExpressionParser } from 'cron-parser';

/** `@daily` and the like, or five or six fields. The library takes fewer, an empty string even, and makes up the rest. */
const SHAPE = /^(@\w+|\S+(\s+\S+){4,5})$/;

/**
 * The first time after `after` that the cron expression names in the zone. Runs that were missed in between are not made
 * up one by one: the one run that follows covers them. Five fields, or six with seconds first.
 * @throws when the expression or the zone cannot be read, or names no time at all (30 February)
 */
export function nextDue(cron: string, timeZone: string, after: Date): Date {
  if (!SHAPE.test(cron.trim())) throw new Error('a cron expression has five fields, or six with seconds first');
  const next = CronExpressionParser.parse(cron, { currentDate: after, tz: timeZone }).next().toDate();
  if (!(next > after)) throw new Error(`no time after ${after.toISOString()}`);
  return next;
}
