import { type Clock, FileRejected } from '@postloop/contracts';
import {
  acceptImport,
  type Database,
  distributeStaging,
  dropStaging,
  type ImportRow,
  insertMailings,
  type RecipientCounts,
  type Sql,
  selectBadRows,
  selectEarlierImports,
  selectNamedSourceMailings,
  selectSourceMailings,
  startMailings,
} from '@postloop/db';
import { checkLedger } from './ledger.js';
import { checkSourceMailings, parseBroadmailId } from './named-mailings.js';
import type { StagedFile } from './stage-file.js';

/**
 * Validates the staged rows and turns them into mailing recipients, in one transaction: either every row has its first
 * status and the file is in the ledger, or nothing of it is stored. Throws FileRejected.
 */
export async function acceptStagedFile(
  { db, clock }: { db: Database; clock: Clock },
  row: ImportRow,
  staged: StagedFile,
): Promise<{ counts: RecipientCounts; status: 'imported' | 'empty' }> {
  const { fields, sha256, rows, blankLines } = staged;
  checkLedger(row, await selectEarlierImports(db.pool, row, sha256));

  return db.transaction(async (sql) => {
    const now = clock.now();
    const named = await selectNamedSourceMailings(sql, row.id, fields);
    const ids = named.flatMap(({ broadmailId }) => parseBroadmailId(broadmailId) ?? []);
    const { sources, sendAt } = checkSourceMailings(row, staged, named, await selectSourceMailings(sql, ids), now);
    const made = await insertMailings(sql, row, staged, sendAt);
    const mailings = new Map<string, bigint>();
    for (const [broadmailId, source] of sources) {
      const mailingId = made.get(source.id);
      if (mailingId !== undefined) mailings.set(broadmailId, mailingId);
    }
    const counts = await distributeStaging(sql, {
      ...{ importId: row.id, clientId: row.clientId, fields, mailings, maybeRepeated: staged.maybeRepeated },
      check: ({ invalid }) => checkThreshold(sql, row, staged, invalid),
    });
    const kept = counts.queued + counts.suppressed + counts.invalid + counts.duplicate;
    if (kept !== rows) throw new Error(`${rows} rows came in, ${kept} have a status`);
    await acceptImport(sql, row.id, { sha256, rows, blankLines, counts });
    // Nobody to send to: the mailings end here, so that they are told in the next export.
    if (counts.queued === 0n) await startMailings(sql, row.id, now);
    await dropStaging(sql, row.id);
    return { counts, status: counts.queued === 0n ? 'empty' : 'imported' };
  });
}

async function checkThreshold(sql: Sql, row: ImportRow, { fields, rows }: StagedFile, invalid: bigint): Promise<void> {
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
    ...(await selectBadRows(sql, row.id, fields)),
  ]);
}
