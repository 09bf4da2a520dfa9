import { type ClientSettings, clientSettings, type WrittenClientSettings } from '@postloop/contracts';
import type { TemplateSettings } from '@postloop/mail-domain';
import type { Database } from './database.js';
import type { Client, schedule_kind } from './generated/client.js';
import { type Sql, selectOne, selectOptional } from './sql.js';

export type { Client } from './generated/client.js';

export type ClientFacts = Pick<Client, 'name' | 'directory' | 'timeZone'> &
  Partial<
    Pick<Client, 'badRowShare' | 'unknownPolicy' | 'transport' | 'hardBounceLimit' | 'softBounceLimit' | 'sftpAccount'>
  > & { settings?: WrittenClientSettings };

/** Makes the client, or changes it when one of that name is there. Its schedules come with it; a changed cron is read anew. */
export async function upsertClient(
  { prisma }: Database,
  facts: ClientFacts,
  schedules: Record<schedule_kind, string>,
): Promise<Client> {
  const client = await prisma.client.upsert({
    where: { name: facts.name },
    create: facts,
    update: facts,
  });
  for (const [kind, cron] of Object.entries(schedules) as [schedule_kind, string][]) {
    const key = { clientId: client.id, kind };
    await prisma.schedule.upsert({ where: { clientId_kind: key }, create: { ...key, cron }, update: {} });
    await prisma.schedule.updateMany({ where: { ...key, NOT: { cron } }, data: { cron, nextDueAt: null } });
  }
  return client;
}

export async function selectOptionalClient({ prisma }: Database, id: bigint): Promise<Client | null> {
  return prisma.client.findUnique({ where: { id } });
}

/** The file-facing half of a client: where its directories are, and on which SFTP account (null: the one for all). */
export function selectClientDirectory(
  sql: Sql,
  clientId: bigint,
): Promise<{ directory: string; sftpAccount: string | null } | undefined> {
  return selectOptional(sql, 'SELECT directory, sftp_account AS "sftpAccount" FROM client WHERE id = $1', [clientId]);
}

/** What the client chose, with the defaults of what it left open. @throws ZodError when a newer Postloop wrote them */
export async function selectClientSettings(sql: Sql, clientId: bigint): Promise<ClientSettings> {
  const { settings } = await selectOne<{ settings: unknown }>(sql, 'SELECT settings FROM client WHERE id = $1', [
    clientId,
  ]);
  return clientSettings.parse(settings);
}

/** How templates of the client's mailings write days, months and numbers. */
export async function selectTemplateSettings(
  sql: Sql,
  clientId: bigint,
): Promise<Pick<TemplateSettings, 'timeZone' | 'locale'>> {
  const { timeZone } = await selectOne<{ timeZone: string }>(
    sql,
    'SELECT time_zone AS "timeZone" FROM client WHERE id = $1',
    [clientId],
  );
  return { timeZone, locale: (await selectClientSettings(sql, clientId)).locale };
}
