import { type FaultCode, type FileFault, FileRejected, nextSendTime, parseSendTime } from '@postloop/contracts';
import { type ImportRow, type ListField, mostNamed, type NamedSourceMailing, type SourceMailing } from '@postloop/db';

const LARGEST_ID = 2n ** 63n - 1n;

/** A BROADMAIL_ID as files write it; undefined when it is no ID. */
export function parseBroadmailId(text: string | null): bigint | undefined {
  if (text === null || !/^\d{1,19}$/.test(text)) return undefined;
  const id = BigInt(text);
  return id <= LARGEST_ID ? id : undefined;
}

/** What a file names. */
export interface Named {
  named: readonly NamedSourceMailing[];
  /** There is more, which could not be told apart. */
  tooMany: boolean;
}

/**
 * Every BROADMAIL_ID of the file must be a source mailing of this client, in a status that may be copied, on the file's
 * master list, with one time to be sent at. All are checked before anything counts. Throws FileRejected.
 * @returns when the copies of each source mailing go out, by its ID; null: at once
 */
export function checkSourceMailings(
  row: ImportRow,
  list: { id: bigint; fields: readonly ListField[] },
  { named, tooMany }: Named,
  found: readonly SourceMailing[],
  now: Date,
): Map<bigint, Date | null> {
  const byId = new Map(found.filter((source) => source.clientId === row.clientId).map((source) => [source.id, source]));
  const sourceOf = ({ broadmailId }: NamedSourceMailing) => byId.get(parseBroadmailId(broadmailId) ?? -1n);
  rejectIf([
    ...named.flatMap((one) => faultOf(one, sourceOf(one), list.id, list.fields) ?? []),
    ...findConflicts(named, sourceOf, list.fields),
    ...(tooMany || named.length > mostNamed ? [TOO_MANY] : []),
  ]);
  const sendAt = new Map<bigint, Date | null>();
  for (const one of named) {
    const source = sourceOf(one);
    if (source) sendAt.set(source.id, one.sendAt ?? sendAt.get(source.id) ?? timeByRule(source, now));
  }
  return sendAt;
}

/** The next time that the source mailing itself names; null when it names none. */
function timeByRule({ name, sendAt }: SourceMailing, now: Date): Date | null {
  if (sendAt === null) return null;
  const time = parseSendTime(sendAt);
  // Better not at all than at a time that nobody asked for.
  if (!time) throw new Error(`the send time ${sendAt} of source mailing ${name} cannot be read`);
  return nextSendTime(time, now);
}

function rejectIf([first, ...rest]: readonly FileFault[]): void {
  if (first) throw new FileRejected([first, ...rest]);
}

const TOO_MANY: FileFault = {
  code: 'source_mailing_unknown',
  line: null,
  column: null,
  message: `the file names more than ${mostNamed} source mailings.`,
  remedy: 'Look whether BROADMAIL_ID stands in its column, or divide the file.',
};

const columnOf = (fields: readonly ListField[], role: ListField['role']): number | null =>
  fields.find((field) => field.role === role)?.ordinal ?? null;

/** The first line of a source mailing says when; a line that says otherwise is a fault. Rows whose time is bad say nothing. */
function findConflicts(
  named: readonly NamedSourceMailing[],
  sourceOf: (one: NamedSourceMailing) => SourceMailing | undefined,
  fields: readonly ListField[],
): FileFault[] {
  const firsts = new Map<bigint, NamedSourceMailing>();
  const faults: FileFault[] = [];
  for (const one of named) {
    const source = sourceOf(one);
    if (!source || one.sendAtBad) continue;
    const first = firsts.get(source.id);
    if (!first) firsts.set(source.id, one);
    else if (first.sendAt?.getTime() !== one.sendAt?.getTime())
      faults.push({
        code: 'send_at',
        line: Number(one.line),
        column: columnOf(fields, 'send_at'),
        message: `BROADMAIL_ID ${source.id} is to be sent ${describeTime(one)} here, and ${describeTime(first)} in line ${first.line} (${one.rows} rows).`,
        remedy: 'Write the same time into all rows of a BROADMAIL_ID, or use one file for each time.',
      });
  }
  return faults;
}

const describeTime = ({ sendAt }: NamedSourceMailing): string =>
  sendAt ? `at ${sendAt.toISOString()}` : 'at no time given';

function faultOf(
  { broadmailId, line, rows }: NamedSourceMailing,
  source: SourceMailing | undefined,
  masterListId: bigint,
  fields: readonly ListField[],
): FileFault | undefined {
  const reason = reasonAgainst(broadmailId, source, masterListId, fields);
  if (!reason) return undefined;
  const column = columnOf(fields, 'broadmail_id');
  return { ...reason, line: Number(line), column, message: `${reason.message} (${rows} rows).` };
}

function reasonAgainst(
  broadmailId: string | null,
  source: SourceMailing | undefined,
  masterListId: bigint,
  fields: readonly ListField[],
): { code: FaultCode; message: string; remedy: string } | undefined {
  if (!source)
    return {
      code: 'source_mailing_unknown',
      message:
        broadmailId === null
          ? 'BROADMAIL_ID is empty'
          : `BROADMAIL_ID ${JSON.stringify(broadmailId.slice(0, 40))} is no source mailing of this client`,
      remedy: isFieldName(broadmailId, fields)
        ? 'This is a header: leave it out, or have files.header of the client set to "present".'
        : 'Use the ID of one of its source mailings.',
    };
  if (source.status === 'archived')
    return {
      code: 'source_mailing_status',
      message: `source mailing ${source.name} is archived`,
      remedy: 'Only source mailings in status New or Activation required can be copied.',
    };
  if (source.listId !== masterListId)
    return {
      code: 'source_mailing_status',
      message: `source mailing ${source.name} belongs to another recipient list`,
      remedy: "Apply the source mailing with the client's master list.",
    };
  return undefined;
}

function isFieldName(broadmailId: string | null, fields: readonly ListField[]): boolean {
  const name = fields.find((field) => field.role === 'broadmail_id')?.name;
  return broadmailId?.trim().toLowerCase() === name?.trim().toLowerCase();
}
