import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type Database, type SourceMailing, upsertClient, upsertMasterList, upsertSourceMailing } from '@postloop/db';
import { z } from 'zod';

const field = z.strictObject({
  name: z.string().min(1),
  type: z.enum(['varchar', 'text', 'bigint', 'integer', 'decimal', 'boolean', 'date', 'timestamp']),
  length: z.int().positive().nullable().default(null),
  required: z.boolean().default(false),
  role: z
    .enum([
      'email',
      'broadmail_id',
      'wave_id',
      'send_at',
      'customer_id',
      'external_customer_number',
      'entity_type',
      'entity_id',
    ])
    .nullable()
    .default(null),
});

/** `client.json`: a client, its schedules and its master list in the column order of its files. */
const clientFile = z.strictObject({
  name: z.string().min(1),
  directory: z.string().regex(/^[\w.-]+(\/[\w.-]+)*$/),
  timeZone: z.string().default('UTC'),
  badRowShare: z.number().min(0).max(1).default(0),
  unknownPolicy: z.enum(['keep', 'resend']).default('keep'),
  schedules: z.strictObject({
    inbox_poll: z.string().default('*/10 * * * *'),
    response_export: z.string().default('0 6 * * *'),
  }),
  masterList: z.strictObject({ name: z.string().min(1), fields: z.array(field).min(2) }),
});

/** `mailing.json` of a source mailing; its body stands beside it as `mail.mjml` or `mail.html`, its text as `mail.txt`. */
const mailingFile = z.strictObject({
  name: z.string().min(1),
  subject: z.string(),
  fromName: z.string(),
  fromAddress: z.string(),
  replyTo: z.string().nullable().default(null),
  linkTracking: z.boolean().default(true),
});

export interface AppliedClient {
  id: bigint;
  listId: bigint;
  directory: string;
}

/** Makes or changes the client that a folder describes. */
export async function applyClient(db: Database, folder: string): Promise<AppliedClient> {
  const { schedules, masterList, ...settings } = clientFile.parse(readJson(`${folder}/client.json`));
  const client = await upsertClient(db, settings, schedules);
  return {
    id: client.id,
    listId: await upsertMasterList(db, client.id, masterList.name, masterList.fields),
    directory: client.directory,
  };
}

/** Makes or changes the client's source mailings: a folder each. */
export async function applySourceMailings(
  db: Database,
  client: AppliedClient,
  folder: string,
): Promise<SourceMailing[]> {
  const applied: SourceMailing[] = [];
  for (const name of readdirSync(folder).sort()) {
    const settings = mailingFile.parse(readJson(`${folder}/${name}/mailing.json`));
    const bodyFormat = existsSync(`${folder}/${name}/mail.mjml`) ? ('mjml' as const) : ('html' as const);
    const text = `${folder}/${name}/mail.txt`;
    applied.push(
      await upsertSourceMailing(db, {
        ...settings,
        clientId: client.id,
        listId: client.listId,
        bodyFormat,
        body: readFileSync(`${folder}/${name}/mail.${bodyFormat}`, 'utf8'),
        textBody: existsSync(text) ? readFileSync(text, 'utf8') : null,
      }),
    );
  }
  return applied;
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
