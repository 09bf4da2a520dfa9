import { statSync } from 'node:fs';
import { join } from 'node:path';
import { clientSettings, extraColumns } from '@postloop/contracts';
import { z } from 'zod';
import { readJson } from './read-json.js';

/** Of a varchar whose length is left out. */
const DEFAULT_LENGTH = 255;

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

type Field = z.output<typeof field>;

/** Roles whose values are read, and the types that hold them. */
const ROLE_TYPES: Partial<Record<NonNullable<Field['role']>, readonly Field['type'][]>> = {
  email: ['varchar', 'text'],
  broadmail_id: ['bigint'],
  wave_id: ['bigint'],
  send_at: ['timestamp'],
};

/** A table of PostgreSQL has 1,600 columns. */
const MOST_FIELDS = 1_000;

const fields = z
  .array(field)
  .min(2)
  .max(MOST_FIELDS)
  .superRefine((all, context) => {
    const complain = (path: (string | number)[], message: string, remedy: string) =>
      context.addIssue({ code: 'custom', path, message, params: { remedy } });
    for (const role of ['email', 'broadmail_id'] as const)
      if (!all.some((one) => one.role === role))
        complain([], `no field has the role ${role}.`, `Give the field that holds it "role": "${role}".`);
    for (const [i, one] of all.entries()) {
      if (all.findIndex((other) => sameName(other, one)) < i)
        complain([i, 'name'], `there is another field named "${one.name}".`, 'Name each field differently.');
      if (one.role !== null && all.findIndex((other) => other.role === one.role) < i)
        complain([i, 'role'], `another field has the role ${one.role}.`, 'Give a role to one field only.');
      const types = one.role === null ? undefined : ROLE_TYPES[one.role];
      if (types && !types.includes(one.type))
        complain([i, 'type'], `a field with the role ${one.role} cannot be ${one.type}.`, `Write "${types[0]}".`);
      if (one.length !== null && one.type !== 'varchar')
        complain([i, 'length'], `a field of type ${one.type} has no length.`, 'Remove it, or make the type "varchar".');
    }
  })
  .transform((all) =>
    all.map((one) => (one.type === 'varchar' ? { ...one, length: one.length ?? DEFAULT_LENGTH } : one)),
  );

const sameName = (a: Field, b: Field): boolean => a.name.trim().toLowerCase() === b.name.trim().toLowerCase();

const timeZone = z.string().refine(isTimeZone, {
  message: 'this is no time zone.',
  params: { remedy: 'Write an IANA name such as "Europe/Berlin", or "UTC".' },
});

const cron = z.string().refine((text) => /^(@\w+|\S+(\s+\S+){4,5})$/.test(text.trim()), {
  message: 'this is no cron expression.',
  params: { remedy: 'Write five fields: minute, hour, day of month, month, day of week, such as "*/10 * * * *".' },
});

const directory = z.string().refine((text) => /^[\w.-]+(\/[\w.-]+)*$/.test(text) && !text.split('/').includes('..'), {
  message: 'this is no directory below the root of the SFTP server.',
  params: { remedy: 'Write names of letters, digits, "-", "_" and "." with "/" between them, such as "example-shop".' },
});

const configured = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, {
  message: 'this is no name of the configuration.',
});

const shape = z.strictObject({
  ...clientSettings.shape,
  name: z.string().min(1),
  directory,
  timeZone: timeZone.default('UTC'),
  badRowShare: z.number().min(0).max(1).default(0),
  unknownPolicy: z.enum(['keep', 'resend']).default('keep'),
  /** One of SMTP_TRANSPORTS; null: the default one. */
  transport: configured.nullable().default(null),
  /** One of SFTP_ACCOUNTS; null: the one for all. */
  sftpAccount: configured.nullable().default(null),
  hardBounceLimit: z.int().positive().default(3),
  softBounceLimit: z.int().positive().default(5),
  schedules: z
    .strictObject({ inbox_poll: cron.default('*/10 * * * *'), response_export: cron.default('0 6 * * *') })
    .prefault({}),
  masterList: z.strictObject({ name: z.string().min(1), fields }),
});

export const clientFileSchema = shape.superRefine(({ export: { extraColumns: named }, masterList }, context) => {
  for (const [i, name] of named.entries()) {
    if (extraColumns.some((column) => column === name) || masterList.fields.some((one) => one.name === name)) continue;
    const message = `the master list has no field "${name}".`;
    const remedy = `Name one of its fields as it stands there, or one of ${extraColumns.join(', ')}.`;
    context.addIssue({ code: 'custom', path: ['export', 'extraColumns', i], message, params: { remedy } });
  }
});

/** `client.json`: a client, its schedules and its master list in the column order of its files. */
export type ClientFile = z.output<typeof clientFileSchema>;

/** @param path the file, or the folder that holds it @throws CustomerFileError */
export function readClientFile(path: string): ClientFile {
  return readJson(clientFilePath(path), clientFileSchema);
}

export function clientFilePath(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, 'client.json') : path;
}

function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}
