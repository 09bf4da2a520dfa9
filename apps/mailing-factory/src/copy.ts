import { createHash } from 'node:crypto';
import type { ListField, SourceMailing } from '@postloop/db';
import { type CompiledMail, compileMail } from '@postloop/mail-domain';
import { compileMjml } from './mjml.js';

/** A copy of a source mailing: as written, as compiled, and a hash over what was written. */
export interface MailingCopy {
  contentHash: Buffer;
  source: object;
  program: CompiledMail;
}

/** Throws TemplateError with every problem of the template and its place. */
export async function copySourceMailing(written: SourceMailing, fields: readonly ListField[]): Promise<MailingCopy> {
  const { subject, fromName, fromAddress, replyTo, bodyFormat, body, textBody, linkTracking } = written;
  const source = {
    subject,
    fromName,
    fromAddress,
    replyTo,
    bodyFormat,
    body,
    textBody,
    linkTracking,
    fields: fields.map(({ name }) => name),
  };
  const program = compileMail({
    fields: source.fields,
    subject,
    fromName,
    fromAddress,
    replyTo,
    html: bodyFormat === 'mjml' ? await compileMjml(body) : body,
    text: textBody,
    linkTracking,
  });
  return { contentHash: createHash('sha256').update(JSON.stringify(source)).digest(), source, program };
}
