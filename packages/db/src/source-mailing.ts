import type { ContentRules } from '@postloop/mail-domain';
import { type Attachment, replaceSourceAttachments } from './content.js';
import type { Database } from './database.js';
import type { SourceMailing as SourceMailingRow } from './generated/client.js';
import { type Sql, select, selectOne, selectOptional } from './sql.js';

export type SourceMailing = Omit<SourceMailingRow, 'rules'> & {
  /** Those that are left out have their defaults. */
  rules: Partial<ContentRules>;
};

export type SourceMailingContent = Pick<
  SourceMailing,
  | 'clientId'
  | 'listId'
  | 'name'
  | 'subject'
  | 'fromName'
  | 'fromAddress'
  | 'replyTo'
  | 'bodyFormat'
  | 'body'
  | 'textBody'
  | 'linkTracking'
> & {
  /** Copies wait for the next such time after their import, as `formatSendTime` writes it; null, the default: at once. */
  sendAt?: string | null | undefined;
  /** The ID that files name as BROADMAIL_ID. Given once at the first apply, or allotted. */
  id?: bigint;
  /** Name of its campaign (compoundMasterId), made when it is new. Default: a campaign of the mailing's own name; null: none. */
  campaign?: string | null | undefined;
  rules?: Partial<ContentRules>;
  /** All that every mail carries, in this order. */
  attachments?: readonly Attachment[];
};

/** A copy of the source mailing is being made: it cannot be changed for a moment. */
export class SourceMailingInUse extends Error {
  override name = 'SourceMailingInUse';
  constructor(readonly mailing: string) {
    super(`the source mailing "${mailing}" is being copied.`);
  }
}

/**
 * Makes the source mailing, or changes it when the client has one of that name. Copies that exist are not touched.
 * @throws SourceMailingInUse
 */
export async function upsertSourceMailing(db: Database, content: SourceMailingContent): Promise<SourceMailing> {
  const { campaign, attachments = [], sendAt = null, rules = {}, ...rest } = content;
  const campaignId = await upsertCampaign(db, rest.clientId, campaign === undefined ? rest.name : campaign);
  return db.transaction(async (sql) => {
    await lockForChange(sql, rest.clientId, rest.name);
    const mailing = await writeSourceMailing(sql, { ...rest, sendAt, rules, campaignId });
    await replaceSourceAttachments(sql, mailing.id, attachments);
    return mailing;
  });
}

async function upsertCampaign({ prisma }: Database, clientId: bigint, name: string | null): Promise<bigint | null> {
  if (name === null) return null;
  const key = { clientId, name };
  return (await prisma.campaign.upsert({ where: { clientId_name: key }, create: key, update: {} })).id;
}

/** Not FOR UPDATE: an import that only refers to the row is not in the way. */
async function lockForChange(sql: Sql, clientId: bigint, name: string): Promise<void> {
  try {
    await sql.query('SELECT 1 FROM source_mailing WHERE client_id = $1 AND name = $2 FOR NO KEY UPDATE NOWAIT', [
      clientId,
      name,
    ]);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE)
      throw new SourceMailingInUse(name);
    throw error;
  }
}

const LOCK_NOT_AVAILABLE = '55P03';

/** Its key is not written again: that would wait for every import that refers to it. */
const KEY: readonly string[] = ['id', 'clientId', 'name'];

function writeSourceMailing(sql: Sql, row: Partial<SourceMailing>): Promise<SourceMailing> {
  const given = WRITTEN.filter((name) => row[name] !== undefined);
  const columns = given.map((name) => COLUMNS[name]);
  const changed = given.filter((name) => !KEY.includes(name)).map((name) => COLUMNS[name]);
  return selectOne(
    sql,
    `INSERT INTO source_mailing (${columns.join(', ')}) VALUES (${columns.map((_, i) => `$${i + 1}`).join(', ')})
     ON CONFLICT (client_id, name) DO UPDATE SET ${changed.map((column) => `${column} = excluded.${column}`).join(', ')}, updated_at = now()
     RETURNING ${SELECTED}`,
    given.map((name) => (name === 'rules' ? JSON.stringify(row.rules) : row[name])),
  );
}

const COLUMNS: Record<keyof SourceMailing, string> = {
  id: 'id',
  clientId: 'client_id',
  listId: 'list_id',
  name: 'name',
  status: 'status',
  campaignId: 'campaign_id',
  subject: 'subject',
  fromName: 'from_name',
  fromAddress: 'from_address',
  replyTo: 'reply_to',
  bodyFormat: 'body_format',
  body: 'body',
  textBody: 'text_body',
  linkTracking: 'link_tracking',
  sendAt: 'send_at',
  rules: 'rules',
  updatedAt: 'updated_at',
};

const WRITTEN = Object.keys(COLUMNS) as (keyof SourceMailing)[];
const SELECTED = Object.entries(COLUMNS)
  .map(([name, column]) => `${column} AS "${name}"`)
  .join(', ');
const SELECT = `SELECT ${SELECTED} FROM source_mailing`;

/** Ask with a transaction: until it ends nobody can change the source mailing (upsertSourceMailing refuses to). */
export function selectSourceMailingForCopy(sql: Sql, id: bigint): Promise<SourceMailing | undefined> {
  return selectOptional(sql, `${SELECT} WHERE id = $1 FOR SHARE`, [id]);
}

export function selectSourceMailings(sql: Sql, ids: readonly bigint[]): Promise<SourceMailing[]> {
  return select(sql, `${SELECT} WHERE id = ANY($1) ORDER BY id`, [ids]);
}
