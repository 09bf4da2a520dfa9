import type { Database } from './database.js';
import type { field_role, field_type } from './generated/client.js';
import { type Sql, select } from './sql.js';

export type FieldType = field_type;
export type FieldRole = field_role;

/** A column of a recipient file, in the order of `ordinal` (from 1). */
export interface ListField {
  ordinal: number;
  name: string;
  type: FieldType;
  /** Characters of a varchar. */
  length: number | null;
  required: boolean;
  role: FieldRole | null;
}

/** Makes a client's master list, or replaces its fields. @returns its ID */
export async function upsertMasterList(
  { prisma }: Database,
  clientId: bigint,
  name: string,
  fields: readonly Omit<ListField, 'ordinal'>[],
): Promise<bigint> {
  return prisma.$transaction(async (tx) => {
    const key = { clientId, kind: 'master' as const, name };
    const list = await tx.recipientList.upsert({ where: { clientId_kind_name: key }, create: key, update: {} });
    await tx.recipientListField.deleteMany({ where: { listId: list.id } });
    await tx.recipientListField.createMany({
      data: fields.map((field, index) => ({ ...field, listId: list.id, ordinal: index + 1 })),
    });
    return list.id;
  });
}

export function selectListFields(sql: Sql, listId: bigint): Promise<ListField[]> {
  return select(
    sql,
    'SELECT ordinal, name, type, length, required, role FROM recipient_list_field WHERE list_id = $1 ORDER BY ordinal',
    [listId],
  );
}

/** The master list of a client: the one its files are read by. Undefined when there is none. */
export async function selectMasterList(
  sql: Sql,
  clientId: bigint,
): Promise<{ id: bigint; fields: ListField[] } | undefined> {
  const [list] = await select<{ id: bigint }>(
    sql,
    `SELECT id FROM recipient_list WHERE client_id = $1 AND kind = 'master' ORDER BY id LIMIT 1`,
    [clientId],
  );
  return list && { id: list.id, fields: await selectListFields(sql, list.id) };
}
