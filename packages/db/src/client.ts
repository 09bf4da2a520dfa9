import type { Database } from './database.js';
import type { Client, schedule_kind } from './generated/client.js';
import { type Sql, selectOptional } from './sql.js';

export type { Client } from './generated/client.js';

export type ClientSettings = Pick<Client, 'name' | 'directory' | 'timeZone'> &
  Partial<Pick<Client, 'badRowShare' | 'unknownPolicy' | 'transport' | 'hardBounceLimit' | 'softBounceLimit'>>;

/** Makes the client, or changes it when one of that name is there. Its schedules come with it; a changed cron is read anew. */
export async function upsertClient(
  { prisma }: Database,
  settings: ClientSettings,
  schedules: Record<schedule_kind, string>,
): Promise<Client> {
  const client = await prisma.client.upsert({
    where: { name: settings.name },
    create: settings,
    update: settings,
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

/** The file-facing half of a client: where its directories are. */
export function selectClientDirectory(sql: Sql, clientId: bigint): Promise<{ directory: string } | undefined> {
  return selectOptional(sql, 'SELECT directory FROM client WHERE id = $1', [clientId]);
}
