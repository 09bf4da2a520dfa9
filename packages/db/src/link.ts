import { type Sql, select } from './sql.js';

/** Where a click goes. A personalised link's target travels in the mail: its `url` here is a template. */
export interface LinkTarget {
  mailingId: bigint;
  ordinal: number;
  url: string;
  personalised: boolean;
}

const SELECT = `SELECT l.mailing_id AS "mailingId", l.ordinal, l.url, l.personalised FROM link l`;

/** The click targets of mailings that started at `since` or later: what a gateway knows before anybody clicks. */
export function selectLinksStartedSince(sql: Sql, since: Date): Promise<LinkTarget[]> {
  return select(
    sql,
    `${SELECT} JOIN mailing m ON m.id = l.mailing_id WHERE m.started_at >= $1 AND l.purpose = 'click'`,
    [since],
  );
}

/** The click targets of one mailing. */
export function selectLinksOfMailing(sql: Sql, mailingId: bigint): Promise<LinkTarget[]> {
  return select(sql, `${SELECT} WHERE l.mailing_id = $1 AND l.purpose = 'click'`, [mailingId]);
}
