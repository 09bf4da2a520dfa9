import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Database } from '../database.js';
import { judgeRecipients, type LoadedRows, type RecipientCounts } from '../import-judge.js';
import { copyRecipients, RecipientRows } from '../import-rows.js';
import type { ListField } from '../recipient-list.js';
import { MAILING } from './mailing-fixture.js';

export interface ImportedRecords extends Partial<Pick<LoadedRows, 'doubtful' | 'maybeRepeated' | 'check'>> {
  fields: readonly ListField[];
  /** Of BROADMAIL_IDs. */
  mailings?: ReadonlyMap<string, bigint>;
}

/** Imports records of the files' dialect, numbered from 1, as the importer does, for the client of `insertMailing`. */
export function importRecords(
  db: Database,
  records: readonly string[],
  { fields, mailings = new Map([['6000', MAILING]]), ...judged }: ImportedRecords,
): Promise<RecipientCounts> {
  return db.transaction(async (sql, client) => {
    const rows = new RecipientRows({ fields, mailingOf: (broadmailId) => mailings.get(broadmailId ?? '') });
    for (const [index, record] of records.entries()) {
      const bytes = Buffer.from(record);
      rows.add(bytes, 0, bytes.length, index + 1);
    }
    await pipeline(Readable.from([rows.end()]), copyRecipients(client));
    return judgeRecipients(sql, {
      ...{ clientId: 5_000n, fields, mailings: [...new Set(mailings.values())], rows: BigInt(records.length) },
      ...{ doubtful: rows.doubtful.lines, ...judged },
    });
  });
}
