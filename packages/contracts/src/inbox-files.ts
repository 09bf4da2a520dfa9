import type { ClientSettings } from './client-settings.js';
import type { InboxDirectory } from './directories.js';

// Which names an inbox takes (spec 1). Everything else is in transit or foreign and is left alone.

const TIMESTAMP = '{timestamp}';

/** The patterns of the files that an inbox takes. `{timestamp}` stands for YYYYMMDDHHMMSS. */
export function inboxPatterns(directory: InboxDirectory, { name }: Pick<ClientSettings['files'], 'name'>): string[] {
  return directory === 'products' ? [`${TIMESTAMP}_products.csv`, `${TIMESTAMP}_recommendations.csv`] : [name];
}

/** Is it a file of this pattern, with a calendar time that exists? */
export function isInboxFileName(pattern: string, name: string): boolean {
  const [before = '', after = ''] = pattern.split(TIMESTAMP);
  const digits = name.slice(before.length, name.length - after.length);
  return name === `${before}${digits}${after}` && isTimestamp(digits);
}

/** The name that a file of this pattern has at that time (UTC). */
export function inboxFileName(pattern: string, at: Date): string {
  return pattern.replace(TIMESTAMP, () => timestampOf(at));
}

/** `restart`: the failed file goes on. `skip`: it stays failed, and the inbox goes on without it. */
export const inboxOrders = ['restart', 'skip'] as const;
export type InboxOrder = (typeof inboxOrders)[number];

/** Reads `<name>.restart` and `<name>.skip`: what is to be done with which file; undefined for any other name. */
export function readInboxOrder(name: string): { order: InboxOrder; fileName: string } | undefined {
  const dot = name.lastIndexOf('.');
  const order = inboxOrders.find((one) => one === name.slice(dot + 1));
  return order && dot > 0 && !name.startsWith('.') ? { order, fileName: name.slice(0, dot) } : undefined;
}

function isTimestamp(digits: string): boolean {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(digits) ?? [];
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  // A time that does not exist comes back as another one.
  return year > 0 && timestampOf(new Date(Date.UTC(year, month - 1, day, hour, minute, second))) === digits;
}

const timestampOf = (at: Date): string => at.toISOString().replace(/\D/g, '').slice(0, 14);
