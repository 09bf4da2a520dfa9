import { type Clock, FileRejected } from '@postloop/contracts';
import {
  acceptImport,
  copyRecipients,
  type Database,
  type ImportRow,
  insertMailings,
  judgeRecipients,
  type ListField,
  planMailings,
  type RecipientCounts,
  type Sql,
  selectBadRows,
  selectClientSettings,
  selectCorrections,
  selectEarlierImports,
  selectMasterList,
  selectNamedSourceMailings,
  selectSourceMailings,
  startMailings,
} from '@postloop/db';
import { killPoint } from '@postloop/service-kit';
import type { SftpSession } from '@postloop/sftp';
import { RowCorrections } from './corrections.js';
import { checkLedger } from './ledger.js';
import { type LoadedFile, loadFile } from './load-file.js';
import { checkSourceMailings, parseBroadmailId } from './named-mailings.js';

type MasterList = NonNullable<Awaited<ReturnType<typeof selectMasterList>>>;
/** Their IDs by source mailing. */
type PlannedMailings = ReadonlyMap<bigint, bigint>;

export interface Accepted {
  rows: bigint;
  blankLines: bigint;
  counts: RecipientCounts;
  status: 'imported' | 'empty';
}

/**
 * Reads a file into mailing recipients and checks it, in one transaction: either every row has its first status and the file
 * is in the ledger, or nothing of it is stored. Throws FileRejected.
 */
export async function acceptFile(
  { db, sftp, clock }: { db: Database; sftp: SftpSession; clock: Clock },
  row: ImportRow,
  path: string,
): Promise<Accepted> {
  const list = await selectMasterList(db.pool, row.clientId);
  if (!list) throw new Error(`client ${row.clientId} has no master list: apply its client.json`);
  const { header } = (await selectClientSettings(db.pool, row.clientId)).files;
  const corrections = new RowCorrections(await selectCorrections(db.pool, row.id, null));
  const planned = new Map((await planMailings(db.pool, row.clientId)).map((one) => [one.sourceMailingId, one.id]));
  // Of a name that the ledger has nothing more is stored, whatever it holds.
  const isNew = !(await selectEarlierImports(db.pool, row, null)).some(({ sameName }) => sameName);
  const mailingOf = (text: string | null) => (isNew ? planned.get(parseBroadmailId(text) ?? -1n) : undefined);

  return db.transaction(async (sql, client) => {
    const form = { fields: list.fields, header, mailingOf, corrections };
    const loaded = await loadFile(sftp.openRead(path), copyRecipients(client), form);
    killPoint('importer.after-copy');
    corrections.checkAllTaken();
    checkLedger(row, await selectEarlierImports(sql, row, loaded.sha256));
    const now = clock.now();
    const mailings = await makeMailings(sql, row, { list, planned, loaded, now });
    const { rows, stored, blankLines, doubtful, maybeRepeated } = loaded;
    if (stored !== rows) throw new Error(`${rows} rows came in, ${stored} are stored`);
    const counts = await judgeRecipients(sql, {
      ...{ clientId: row.clientId, fields: list.fields, mailings, rows, doubtful, maybeRepeated },
      check: ({ invalid }) => checkThreshold(sql, row, { rows, invalid, fields: list.fields }),
    });
    await acceptImport(sql, row.id, { ...loaded, counts });
    // Nobody to send to: the mailings end here, so that they are told in the next export.
    if (counts.queued === 0n) await startMailings(sql, row.id, now);
    return { rows, blankLines, counts, status: counts.queued === 0n ? 'empty' : 'imported' };
  });
}

/** @returns the mailings that rows went to */
async function makeMailings(
  sql: Sql,
  row: ImportRow,
  { list, planned, loaded, now }: { list: MasterList; planned: PlannedMailings; loaded: LoadedFile; now: Date },
): Promise<bigint[]> {
  const { texts, tooMany } = loaded.named;
  const named = await selectNamedSourceMailings(sql, texts);
  const ids = named.flatMap(({ broadmailId }) => parseBroadmailId(broadmailId) ?? []).filter((id) => planned.has(id));
  const found = await selectSourceMailings(sql, ids);
  const sendAt = checkSourceMailings(row, list, { named, tooMany }, found, now);
  const mailings = [...sendAt].flatMap(([sourceMailingId, time]) => {
    const id = planned.get(sourceMailingId);
    return id === undefined ? [] : { id, sourceMailingId, sendAt: time };
  });
  await insertMailings(sql, row, { masterListId: list.id, fields: list.fields }, mailings);
  return mailings.map(({ id }) => id);
}

async function checkThreshold(
  sql: Sql,
  row: ImportRow,
  { rows, invalid, fields }: { rows: bigint; invalid: bigint; fields: readonly ListField[] },
): Promise<void> {
  if (Number(invalid) / Number(rows) <= row.badRowShare) return;
  throw new FileRejected([
    {
      code: 'too_many_bad_values',
      line: null,
      column: null,
      message: `${invalid} of ${rows} rows have bad values; the client allows a share of ${row.badRowShare}.`,
      remedy:
        'Correct the rows below and upload them as <name>.restart, or skip the file and upload it anew under a new name.',
    },
    ...(await selectBadRows(sql, fields)),
  ]);
}
