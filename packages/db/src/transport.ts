import { type Sql, selectOptional } from './sql.js';

/**
 * The name of the SMTP transport that the client of a mailing chose; `name` is null for the default one. Undefined when
 * there is no such mailing.
 */
export function selectTransportOfMailing(sql: Sql, mailingId: bigint): Promise<{ name: string | null } | undefined> {
  return selectOptional(
    sql,
    'SELECT c.transport AS name FROM mailing m JOIN client c ON c.id = m.client_id WHERE m.id = $1',
    [mailingId],
  );
}
