import { type ClientSettings, clientSettings } from '@postloop/contracts';
import { loadPrepared, type Sql, selectOptional } from './sql.js';

/** The way out that the client of a mailing chose. */
export interface ChosenTransport {
  clientId: bigint;
  /** Name of the SMTP transport; null: the default one. */
  name: string | null;
  /** Limits of the client. */
  sending: ClientSettings['sending'];
}

const OF_MAILING = loadPrepared(import.meta.url, 'transport-of-mailing.sql');

/** Undefined when there is no such mailing. */
export async function selectTransportOfMailing(sql: Sql, mailingId: bigint): Promise<ChosenTransport | undefined> {
  const row = await selectOptional<{ clientId: bigint; name: string | null; settings: unknown }>(sql, OF_MAILING, [
    mailingId,
  ]);
  return row && { clientId: row.clientId, name: row.name, sending: clientSettings.parse(row.settings).sending };
}
