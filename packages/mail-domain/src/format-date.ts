/** As the files have it (spec 2): a day, or a day and a time, with an offset or without. */
const DATE =
  /^\s*(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.]\d{1,9})?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?\s*$/i;

/**
 * Writes a date with the signs of strftime (C99 7.27.3.5; %d %-d %e %m %-m %b %B %y %Y %H %-H %I %-I %M %S %p %a %A %j %%).
 * A time with an offset is an instant and shown in the time zone; one without is shown as it is.
 * @returns null for what is no date
 */
export function formatDate(value: string, format: string, timeZone: string, locale: string): string | null {
  const date = readWallClock(value, timeZone);
  if (!date) return null;
  return format.replace(/%(-?)([a-zA-Z%])/g, (sign, dash: string, letter: string) => {
    const written = writeSign(letter, date, locale);
    return written === null ? sign : dash === '' ? written : written.replace(/^[0 ]+(?=.)/, '');
  });
}

/** What a clock on the wall shows, as if it were UTC. */
function readWallClock(value: string, timeZone: string): Date | null {
  const [, year, month, day, hour = '0', minute = '0', second = '0', offset] = DATE.exec(value) ?? [];
  if (year === undefined) return null;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || Number(hour) > 23 || Number(minute) > 59) return null;
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  if (offset === undefined) return date;
  const [, sign = '+', hours = '0', minutes = '0'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(offset) ?? [];
  const ahead = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60_000 : 60_000);
  return inZone(new Date(date.getTime() - ahead), timeZone);
}

const ALL_PARTS: Intl.DateTimeFormatOptions = {
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
  hourCycle: 'h23',
};

function inZone(instant: Date, timeZone: string): Date {
  const parts = formatter('en', { ...ALL_PARTS, timeZone }).formatToParts(instant);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  const date = new Date(0);
  date.setUTCFullYear(part('year'), part('month') - 1, part('day'));
  date.setUTCHours(part('hour'), part('minute'), part('second'));
  return date;
}

function writeSign(letter: string, date: Date, locale: string): string | null {
  const padded = (number: number, width = 2) => String(number).padStart(width, '0');
  const name = (options: Intl.DateTimeFormatOptions) => formatter(locale, { ...options, timeZone: 'UTC' }).format(date);
  const hour = date.getUTCHours();
  switch (letter) {
    case 'd':
      return padded(date.getUTCDate());
    case 'e':
      return String(date.getUTCDate()).padStart(2, ' ');
    case 'm':
      return padded(date.getUTCMonth() + 1);
    case 'b':
      return name({ month: 'short' });
    case 'B':
      return name({ month: 'long' });
    case 'y':
      return padded(date.getUTCFullYear() % 100);
    case 'Y':
      return padded(date.getUTCFullYear(), 4);
    case 'H':
      return padded(hour);
    case 'I':
      return padded(hour % 12 || 12);
    case 'M':
      return padded(date.getUTCMinutes());
    case 'S':
      return padded(date.getUTCSeconds());
    case 'p':
      return hour < 12 ? 'AM' : 'PM';
    case 'a':
      return name({ weekday: 'short' });
    case 'A':
      return name({ weekday: 'long' });
    case 'j':
      return padded(dayOfYear(date), 3);
    case '%':
      return '%';
    default:
      return null;
  }
}

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - new Date(date).setUTCMonth(0, 1)) / 86_400_000) + 1;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Making one takes far longer than using it. */
function formatter(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([locale, options]);
  const known = formatters.get(key);
  if (known) return known;
  const made = new Intl.DateTimeFormat(locale, options);
  formatters.set(key, made);
  return made;
}
