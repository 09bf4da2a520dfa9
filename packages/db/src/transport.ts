import { type ClientSettings, clientSettings } from '@postloop/contracts';
import { type Sql, selectOptional } from './sql.js';

/** The way out that the client of a mailing chose. */
export interface ChosenTransport {
  clientId: bigint;
  /** Name of the SMTP transport; null: the default one. */
  name: string | null;
  /** Limits of the client. */
  sending: ClientSettings['sending'];
}

/** Undefined when there is no such mailing. */
export async function selectTransportOfMailing(sql: Sql, mailingId: bigint): Promise<ChosenTransport | undefined> {
  const row = await selectOptional<{ clientId: bigint; name: string | null; settings: unknown }>(
    sql,
    `SELECT c.id AS "clientId", c.transport AS name, c.settings FROM mailing m JOIN client c ON c.id = m.client_id WHERE m.id = $1`,
    [mailingId],
  );
  return row && { clientId: row.clientId, name: row.name, sending: clientSettings.parse(row.settings).sending };
}
