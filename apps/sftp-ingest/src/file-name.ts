/** `YYYYMMDDHHMMSS_subscribers.csv` with a time that exists (spec 1). Everything else is in transit or foreign. */
export function isRecipientFileName(name: string): boolean {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)_subscribers\.csv$/.exec(name) ?? [];
  if (parts.length === 0) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const back = [
    date.getUTCFullYear(),
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ];
  return year > 0 && [year, month, day, hour, minute, second].every((value, index) => value === back[index]);
}
