import type { Database } from './database.js';
import type { SourceMailing } from './generated/client.js';

export type { SourceMailing } from './generated/client.js';

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
  /** The ID that files name as BROADMAIL_ID. Given once at the first apply, or allotted. */
  id?: bigint;
};

/** Makes the source mailing, or changes it when the client has one of that name. Copies that exist are not touched. */
export async function upsertSourceMailing({ prisma }: Database, content: SourceMailingContent): Promise<SourceMailing> {
  const { id, ...rest } = content;
  return prisma.sourceMailing.upsert({
    where: { clientId_name: { clientId: content.clientId, name: content.name } },
    create: id === undefined ? rest : { ...rest, id },
    update: { ...rest, updatedAt: new Date() },
  });
}

export async function selectSourceMailings({ prisma }: Database, ids: bigint[]): Promise<SourceMailing[]> {
  return prisma.sourceMailing.findMany({ where: { id: { in: ids } } });
}
