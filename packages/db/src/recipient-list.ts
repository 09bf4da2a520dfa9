import type { Database } from './database.js';
import type { field_role, field_type } from './generated/client.js';
import { type Sql, select, selectOne } from './sql.js';

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

/**
 * Makes the recipient list of an import, with the fields that its file was read by: its mailings are compiled and exported by
 * these, whatever becomes of the master list. @returns its ID
 */
export async function insertImportList(
  sql: Sql,
  list: { clientId: bigint; name: string; masterListId: bigint; fields: readonly ListField[] },
): Promise<bigint> {
  const { fields } = list;
  const { id } = await selectOne<{ id: bigint }>(
    sql,
    `INSERT INTO recipient_list (client_id, kind, name, master_list_id) VALUES ($1, 'import', $2, $3) RETURNING id`,
    [list.clientId, list.name, list.masterListId],
  );
  await sql.query(
    `INSERT INTO recipient_list_field (list_id, ordinal, name, type, length, required, role)
     SELECT $1, * FROM unnest($2::int[], $3::text[], $4::field_type[], $5::int[], $6::boolean[], $7::field_role[])`,
    [
      id,
      fields.map((field) => field.ordinal),
      fields.map((field) => field.name),
      fields.map((field) => field.type),
      fields.map((field) => field.length),
      fields.map((field) => field.required),
      fields.map((field) => field.role),
    ],
  );
  return id;
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
