import type { JournalEntry, LoggedClient, LoggedImport, UnsentRow } from '@postloop/db';
import { describeEntry } from './describe-entry.js';
import { printable } from './printable.js';

type Client = Pick<LoggedClient, 'name' | 'timeZone'>;

/** `logs/YYYYMMDD_postloop.log`: all that happened to the client's files on a day (`YYYY-MM-DD`) of its zone. */
export function dayLog(client: Client, day: string, entries: readonly JournalEntry[]): Buffer {
  return textFile([`# ${client.name}, ${day}, times in ${client.timeZone}`, ...entries.map(entryLine)]);
}

export interface ImportLog {
  run: LoggedImport;
  entries: JournalEntry[];
  /** In the order of the file; not more than are told. */
  unsent: UnsentRow[];
  /** All of them. */
  unsentCount: number;
}

/** `logs/<file>.log`: every import of a file of this name, the oldest first, from claim to the end of its mailings. */
export function fileLog(client: Client, fileName: string, imports: readonly ImportLog[]): Buffer {
  return textFile([`# ${client.name}, ${fileName}, times in ${client.timeZone}`, ...imports.flatMap(importLines)]);
}

function importLines({ run, entries, unsent, unsentCount }: ImportLog): string[] {
  const lines = [
    '',
    `${run.localTime}  import ${run.id}: taken from ${run.directory}/, ${run.size} bytes`,
    ...entries.map(entryLine),
  ];
  if (unsent.length > 0) lines.push(`rows that are not sent to: ${unsentCount}`, ...unsent.map(rowLine));
  if (unsentCount > unsent.length) lines.push(`  and ${unsentCount - unsent.length} more`);
  return lines;
}

const entryLine = (entry: JournalEntry): string => `${entry.localTime}  ${describeEntry(entry)}`;

function rowLine({ line, status, reason }: UnsentRow): string {
  return `  line ${line}: ${status}${reason === null ? '' : `, ${reason}`}`;
}

const textFile = (lines: readonly string[]): Buffer =>
  Buffer.from(`${lines.map((line) => printable(line)).join('\n')}\n`);
