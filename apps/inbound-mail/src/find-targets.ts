import { type Keyring, type TokenContent, verifyToken } from '@postloop/mail-domain';
import type { OwnAddresses } from './own-addresses.js';
import type { MailReading } from './read-mail.js';

/** A mailing recipient that a message concerns, and how that is known. */
export interface Target {
  mailingId: bigint;
  recipientId: bigint;
  /** By a return path (it was sent to one), or by a Message-ID in it. */
  by: 'return_path' | 'message_id';
}

/**
 * Whom a message concerns: the return paths of its envelope, all of them; else the first in its header fields; else the
 * first Message-ID of ours that it names. Only what we signed counts, so a forged message finds nobody.
 */
export function findTargets(
  own: OwnAddresses,
  keyring: Keyring,
  envelopeTo: readonly string[],
  reading: Pick<MailReading, 'addressedTo' | 'messageIds'>,
): Target[] {
  const envelope = tokensOf(envelopeTo, own.readReturnPath);
  if (envelope.length > 0) return envelope.map((token) => ({ ...idsOf(token), by: 'return_path' }));
  const [header] = tokensOf(reading.addressedTo, own.readReturnPath);
  if (header) return [{ ...idsOf(header), by: 'return_path' }];
  const [named] = tokensOf(reading.messageIds, (id) => verifyToken(keyring, 'messageId', id.split('@')[0] ?? ''));
  return named ? [{ ...idsOf(named), by: 'message_id' }] : [];
}

function tokensOf(texts: readonly string[], read: (text: string) => TokenContent | null): TokenContent[] {
  const found = new Map<string, TokenContent>();
  for (const text of texts) {
    const token = read(text);
    if (token) found.set(`${token.mailingId}/${token.recipientId}`, token);
  }
  return [...found.values()];
}

const idsOf = ({ mailingId, recipientId }: TokenContent) => ({ mailingId, recipientId });
