/** A time of day in a zone: when the copies of a source mailing go out (spec 3). */
export interface SendTime {
  hour: number;
  minute: number;
  /** IANA name. */
  timeZone: string;
}

const SHAPE = /^(?:at )?([01]\d|2[0-3]):([0-5]\d) (UTC|[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)+)$/;

/** Reads `09:00 Europe/Berlin`; undefined when it is no time of day in a zone that is known here. */
export function parseSendTime(text: string): SendTime | undefined {
  const [, hour, minute, timeZone] = SHAPE.exec(text.trim()) ?? [];
  if (hour === undefined || minute === undefined || timeZone === undefined || !isTimeZone(timeZone)) return undefined;
  return { hour: Number(hour), minute: Number(minute), timeZone };
}

/** As it is stored: `09:00 Europe/Berlin`. */
export function formatSendTime({ hour, minute, timeZone }: SendTime): string {
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')} ${timeZone}`;
}

/**
 * The first such time at or after `after`. Where clocks go forward over it, it is as much later; where they go back, the
 * first of the two counts (RFC 5545 3.3.5).
 */
export function nextSendTime(time: SendTime, after: Date): Date {
  const today = wallClock(after.getTime(), time.timeZone);
  for (let day = 0; ; day += 1) {
    const wanted = startOfDay(today) + day * DAY_MS + time.hour * HOUR_MS + time.minute * MINUTE_MS;
    const instant = toInstant(wanted, time.timeZone);
    if (instant >= after.getTime()) return new Date(instant);
  }
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const startOfDay = (wall: number): number => Math.floor(wall / DAY_MS) * DAY_MS;

/**
 * @param wall what the clock on the wall shows, as milliseconds as if it were UTC
 * Zones change their offset at most once within the two days around it.
 */
function toInstant(wall: number, timeZone: string): number {
  const before = wall - offsetAt(wall - DAY_MS, timeZone);
  const after = wall - offsetAt(wall + DAY_MS, timeZone);
  const shown = [before, after].filter((instant) => wallClock(instant, timeZone) === wall);
  return shown.length > 0 ? Math.min(...shown) : before;
}

const offsetAt = (instant: number, timeZone: string): number => wallClock(instant, timeZone) - instant;

/** What the clock on the wall shows at an instant, as milliseconds as if it were UTC; to the second. */
function wallClock(instant: number, timeZone: string): number {
  const parts = Object.fromEntries(
    formatterOf(timeZone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
}

function isTimeZone(name: string): boolean {
  try {
    return formatterOf(name) !== undefined;
  } catch {
    return false;
  }
}
