import {
  acceptImport,
  checkStagedRows,
  type Database,
  distributeStaging,
  dropStaging,
  type ImportRow,
  insertMailings,
  type RecipientCounts,
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
  db: Database,
  row: ImportRow,
  staged: StagedFile,
): Promise<{ counts: RecipientCounts; status: 'imported' | 'empty' }> {
  const { fields, sha256, rows, blankLines } = staged;
  checkLedger(row, await selectEarlierImports(db.pool, row, sha256));
  const named = await selectNamedSourceMailings(db.pool, row.id, fields);
  const ids = named.flatMap(({ broadmailId }) => parseBroadmailId(broadmailId) ?? []);
  const sources = checkSourceMailings(row, staged, named, await selectSourceMailings(db, ids));

  return db.transaction(async (sql) => {
    await checkStagedRows(sql, row, fields, rows);
    const made = await insertMailings(sql, row, staged.masterListId, [...new Set(sources.values())]);
    const mailings = new Map<string, bigint>();
    for (const [broadmailId, source] of sources) {
      const mailingId = made.get(source.id);
      if (mailingId !== undefined) mailings.set(broadmailId, mailingId);
    }
    const counts = await distributeStaging(sql, { importId: row.id, clientId: row.clientId, fields, mailings });
    const kept = counts.queued + counts.suppressed + counts.invalid + counts.duplicate;
    if (kept !== rows) throw new Error(`${rows} rows came in, ${kept} have a status`);
    await acceptImport(sql, row.id, { sha256, rows, blankLines, counts });
    // Nobody to send to: the mailings end here, so that they are told in the next export.
    if (counts.queued === 0n) await startMailings(sql, row.id);
    await dropStaging(sql, row.id);
    return { counts, status: counts.queued === 0n ? 'empty' : 'imported' };
  });
}
