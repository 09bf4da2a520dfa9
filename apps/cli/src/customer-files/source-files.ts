import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { formatSendTime, parseSendTime } from '@postloop/contracts';
import { type Attachment, addressProblem, type ContentRules } from '@postloop/mail-domain';
import type { WrittenMailing } from '@postloop/mail-domain/compile-source';
import { z } from 'zod';
import { readAttachments } from './attachment-files.js';
import { CustomerFileError } from './customer-file-error.js';
import { readJson } from './read-json.js';

const address = z.string().superRefine((text, context) => {
  const problem = addressProblem(text);
  if (problem)
    context.addIssue({
      code: 'custom',
      message: `this address ${problem}.`,
      params: { remedy: 'Write an address alone: name@example.com.' },
    });
});

const sendTime = z.string().transform((text, context) => {
  const time = parseSendTime(text);
  if (time) return formatSendTime(time);
  context.addIssue({
    code: 'custom',
    message: 'this is no time of day in a time zone.',
    params: { remedy: 'Write hours, minutes and an IANA name, such as "09:00 Europe/Berlin".' },
  });
  return z.NEVER;
});

/** What is done when something is not there. */
const rule = z.union([z.enum(['skip_block', 'do_not_send']), z.strictObject({ default: z.string().min(1) })]);

/** `mailing.json` of a source mailing; its body stands beside it as `mail.mjml` or `mail.html`, its text as `mail.txt`. */
export const mailingFileSchema = z.strictObject({
  name: z.string().min(1),
  subject: z.string(),
  fromName: z.string(),
  fromAddress: address,
  replyTo: address.nullable().default(null),
  linkTracking: z.boolean().default(true),
  /** Several source mailings may name one campaign; null: it belongs to none. Default: one of its own name. */
  campaign: z.string().min(1).nullable().optional(),
  /** Its mailings wait for the next such time after their import: `09:00 Europe/Berlin`. null: they are sent at once. */
  sendAt: sendTime.nullable().default(null),
  rules: z
    .strictObject({ missingProduct: rule.default('skip_block'), missingContent: rule.default('skip_block') })
    .prefault({}),
});

export interface SourceFiles extends WrittenMailing {
  folder: string;
  name: string;
  campaign?: string | null | undefined;
  sendAt: string | null;
  rules: ContentRules;
  attachments: Attachment[];
  /** The file that each part of the mailing stands in, for messages. */
  files: { json: string; html: string; text: string };
}

/** Reads the source mailing in a folder. @throws CustomerFileError */
export function readSourceFolder(folder: string): SourceFiles {
  const json = join(folder, 'mailing.json');
  const settings = readJson(json, mailingFileSchema);
  const mjml = join(folder, 'mail.mjml');
  const plain = join(folder, 'mail.html');
  const text = join(folder, 'mail.txt');
  const hasMjml = existsSync(mjml);
  if (hasMjml === existsSync(plain))
    throw new CustomerFileError([
      {
        file: folder,
        path: '',
        message: hasMjml ? 'there are two bodies, mail.mjml and mail.html.' : 'there is no body.',
        remedy: 'Put one of mail.mjml and mail.html beside mailing.json.',
      },
    ]);
  const html = hasMjml ? mjml : plain;
  return {
    ...settings,
    folder,
    bodyFormat: hasMjml ? 'mjml' : 'html',
    body: readFileSync(html, 'utf8'),
    textBody: existsSync(text) ? readFileSync(text, 'utf8') : null,
    attachments: readAttachments(folder),
    files: { json, html, text: existsSync(text) ? text : html },
  };
}

/** The folder itself when it is a source mailing, else the source mailings in it, by name. @throws CustomerFileError */
export function findSourceFolders(folder: string): string[] {
  if (existsSync(join(folder, 'mailing.json'))) return [folder];
  const found = existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'mailing.json')))
        .map((entry) => join(folder, entry.name))
        .sort()
    : [];
  if (found.length > 0) return found;
  throw new CustomerFileError([
    {
      file: folder,
      path: '',
      message: 'there is no source mailing here.',
      remedy: 'Name a folder with a mailing.json in it, or one that holds such folders.',
    },
  ]);
}

/** The client.json that a source mailing's folder belongs to: beside it, or up to two folders above. */
export function findClientFile(folder: string): string | undefined {
  const at = resolve(folder);
  return [at, dirname(at), dirname(dirname(at))].map((one) => join(one, 'client.json')).find(existsSync);
}

/** A short name for messages and file names. */
export const folderName = (folder: string): string => basename(resolve(folder));
