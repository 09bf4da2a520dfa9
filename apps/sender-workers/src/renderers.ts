import { PermanentError } from '@postloop/contracts';
import { type Database, selectMailingToSend } from '@postloop/db';
import { createRenderer, type Keyring, type Renderer } from '@postloop/mail-domain';

export interface MailingRenderer extends Renderer {
  fromAddress: string;
}

const KEPT = 20;

/** The renderers of the mailings that are being sent; a copy never changes, so one is kept until others push it out. */
export function rendererCache(
  db: Database,
  options: { keyring: Keyring; publicUrl: string; returnPathDomain: string },
): (mailingId: bigint) => Promise<MailingRenderer> {
  const cache = new Map<bigint, Promise<MailingRenderer>>();
  const load = async (mailingId: bigint): Promise<MailingRenderer> => {
    const mailing = await selectMailingToSend(db.pool, mailingId);
    if (!mailing) throw new PermanentError(`mailing ${mailingId} has no content`);
    const renderer = createRenderer(mailing.program, {
      ...options,
      mailingId,
      clientId: mailing.clientId,
      listId: `${mailing.recipientListId}.${options.returnPathDomain}`,
    });
    return { ...renderer, fromAddress: mailing.program.fromAddress };
  };
  return (mailingId) => {
    const known = cache.get(mailingId);
    if (known) return known;
    const made = load(mailingId);
    made.catch(() => cache.delete(mailingId));
    cache.set(mailingId, made);
    const oldest = cache.keys().next().value;
    if (cache.size > KEPT && oldest !== undefined) cache.delete(oldest);
    return made;
  };
}
