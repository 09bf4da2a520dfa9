import { type FaultCode, type FileFault, FileRejected } from '@postloop/contracts';
import type { ImportRow, NamedSourceMailing, SourceMailing } from '@postloop/db';
import type { StagedFile } from './stage-file.js';

/** A BROADMAIL_ID as files write it; undefined when it is no ID. */
export function parseBroadmailId(text: string | null): bigint | undefined {
  return text !== null && /^\d{1,18}$/.test(text) ? BigInt(text) : undefined;
}

/**
 * Every BROADMAIL_ID of the file must be a source mailing of this client, in a status that may be copied, on the file's
 * master list. All are checked before anything is stored. @returns the source mailing for each BROADMAIL_ID as written
 */
export function checkSourceMailings(
  row: ImportRow,
  { fields, masterListId }: Pick<StagedFile, 'fields' | 'masterListId'>,
  named: readonly NamedSourceMailing[],
  found: readonly SourceMailing[],
): Map<string, SourceMailing> {
  const byId = new Map(found.filter((source) => source.clientId === row.clientId).map((source) => [source.id, source]));
  const column = fields.find((field) => field.role === 'broadmail_id')?.ordinal ?? null;
  const sources = new Map<string, SourceMailing>();
  const faults: FileFault[] = [];
  for (const { broadmailId, line, rows } of named) {
    const source = byId.get(parseBroadmailId(broadmailId) ?? -1n);
    const fault = faultOf(broadmailId, source, masterListId);
    if (fault) faults.push({ ...fault, line: Number(line), column, message: `${fault.message} (${rows} rows)` });
    else if (source && broadmailId !== null) sources.set(broadmailId, source);
  }
  const [first, ...rest] = faults;
  if (first) throw new FileRejected([first, ...rest]);
  return sources;
}

function faultOf(
  broadmailId: string | null,
  source: SourceMailing | undefined,
  masterListId: bigint,
): { code: FaultCode; message: string; remedy: string } | undefined {
  if (!source)
    return {
      code: 'source_mailing_unknown',
      message:
        broadmailId === null
          ? 'BROADMAIL_ID is empty'
          : `BROADMAIL_ID ${JSON.stringify(broadmailId.slice(0, 40))} is no source mailing of this client`,
      remedy: 'Use the ID of one of its source mailings.',
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
