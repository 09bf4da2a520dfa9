import { PermanentError } from '@postloop/contracts';
import { type Database, type MailingToSend, selectMailingAttachments, selectMailingToSend } from '@postloop/db';
import { createRenderer, type Keyring } from '@postloop/mail-domain';
import { BoundedCache } from '@postloop/service-kit';
import { composedByNodemailer, type MailRenderer } from './compose-with-nodemailer.js';
import type { MailComposer } from './config.js';

/** A mailing that is being sent, prepared. */
export interface SendingMailing extends MailingToSend {
  renderer: MailRenderer;
}

/** Of prepared mailings, in bytes. */
const KEPT = 128 * 1024 * 1024;
/** A program with its links. */
const PROGRAM = 4 * 1024 * 1024;
/** Attachments are held as they are and in base64. */
const ENCODED = 2.4;

/** The mailings that are being sent; a copy never changes, so one is kept until others push it out. */
export function sendingMailings(
  db: Database,
  { composer, ...options }: { composer: MailComposer; keyring: Keyring; publicUrl: string; returnPathDomain: string },
): (mailingId: bigint) => Promise<SendingMailing> {
  const loading = new Map<bigint, Promise<SendingMailing>>();
  const kept = new BoundedCache<bigint, { mailing: SendingMailing; bytes: number }>(KEPT, ({ bytes }) => bytes);
  const load = async (mailingId: bigint): Promise<SendingMailing> => {
    const mailing = await selectMailingToSend(db.pool, mailingId);
    if (!mailing) throw new PermanentError(`mailing ${mailingId} has no content`);
    const attachments = await selectMailingAttachments(db.pool, mailingId);
    const renderer = createRenderer(mailing.program, {
      ...options,
      mailingId,
      clientId: mailing.clientId,
      listId: `${mailing.recipientListId}.${options.returnPathDomain}`,
      attachments,
    });
    const loaded = { ...mailing, renderer: composer === 'nodemailer' ? composedByNodemailer(renderer) : renderer };
    const size = attachments.reduce((sum, { bytes }) => sum + bytes.length, 0);
    kept.set(mailingId, { mailing: loaded, bytes: PROGRAM + size * ENCODED });
    return loaded;
  };
  return async (mailingId) => {
    const known = kept.get(mailingId);
    if (known) return known.mailing;
    const shared = loading.get(mailingId) ?? load(mailingId).finally(() => loading.delete(mailingId));
    loading.set(mailingId, shared);
    return shared;
  };
}
