import { statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from './read-json.js';

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

const fields = z
  .array(field)
  .min(2)
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
    }
  });

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

const schema = z.strictObject({
  name: z.string().min(1),
  directory,
  timeZone: timeZone.default('UTC'),
  badRowShare: z.number().min(0).max(1).default(0),
  unknownPolicy: z.enum(['keep', 'resend']).default('keep'),
  schedules: z
    .strictObject({ inbox_poll: cron.default('*/10 * * * *'), response_export: cron.default('0 6 * * *') })
    .prefault({}),
  masterList: z.strictObject({ name: z.string().min(1), fields }),
});

/** `client.json`: a client, its schedules and its master list in the column order of its files. */
export type ClientFile = z.output<typeof schema>;

/** @param path the file, or the folder that holds it @throws CustomerFileError */
export function readClientFile(path: string): ClientFile {
  return readJson(clientFilePath(path), schema);
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
