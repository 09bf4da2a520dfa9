import type { SmtpInbox } from '@postloop/local-stack';
import type { World } from './world.js';

/** What the recording inbox says of a mailing's recipients. The database is only asked which of them are `unknown`. */
export interface Balance {
  /** Rows that should have a mail and have none. */
  missing: number;
  /** Message-IDs that were accepted more than once. */
  twice: number;
  unknown: number;
}

export async function balanceOf(world: World, mailingIds: readonly bigint[]): Promise<Balance> {
  const { rows } = await world.db.pool.query<{ email: string; unknown: boolean }>(
    `SELECT lower(r.email) AS email, coalesce(d.status = 'unknown', false) AS unknown
       FROM mailing_recipient r LEFT JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
      WHERE r.mailing_id = ANY($1) AND r.status = 'queued'`,
    [mailingIds],
  );
  const received = acceptedAddresses(world.stack.inbox);
  const missing = rows.filter(({ email, unknown }) => !unknown && !received.has(email)).length;
  return { missing, twice: acceptedTwice(world.stack.inbox), unknown: rows.filter(({ unknown }) => unknown).length };
}

/** Addresses whose message was accepted, by RCPT TO. */
export function acceptedAddresses(inbox: SmtpInbox): Set<string> {
  return new Set(
    inbox
      .journal()
      .filter(({ type }) => type === 'accepted')
      .flatMap(({ envelopeTo }) => envelopeTo.map((address) => address.toLowerCase())),
  );
}

export function acceptedTwice(inbox: SmtpInbox): number {
  return [...inbox.acceptedMessageIds().values()].filter((times) => times > 1).length;
}
