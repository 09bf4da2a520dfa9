import type { SmtpInbox } from '@postloop/local-stack';
import { recordCount } from './record-count.js';
import type { World } from './world.js';

/** What the recording inbox says of a mailing's recipients. The database is only asked which of them are `unknown` or refused. */
export interface Balance {
  /** Rows that should have a mail and have none. */
  missing: number;
  /** Message-IDs that were accepted more than once. */
  twice: number;
  unknown: number;
}

interface Recipient {
  email: string;
  status: string | null;
  smtpCode: number | null;
  cancelled: boolean;
}

/** @throws when a recipient is not final. @param inbox of the transport that the mailings went by */
export async function balanceOf(
  { db, stack }: World,
  mailingIds: readonly bigint[],
  inbox: SmtpInbox = stack.inbox,
): Promise<Balance> {
  const { rows } = await db.pool.query<Recipient>(
    `SELECT lower(r.email) AS email, d.status, d.smtp_code AS "smtpCode", m.status = 'cancelled' AS cancelled
       FROM mailing m JOIN mailing_recipient r ON r.mailing_id = m.id
       LEFT JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
      WHERE m.id = ANY($1) AND r.status = 'queued'`,
    [mailingIds],
  );
  const open = rows.filter((row) => !isFinal(row));
  if (open.length > 0) throw new Error(`${open.length} recipients are not final, such as ${JSON.stringify(open[0])}`);
  const received = acceptedAddresses(inbox);
  const missing = rows.filter((row) => isPromised(row) && !received.has(row.email)).length;
  const unknown = rows.filter(({ status }) => status === 'unknown').length;
  const balance = { missing, twice: acceptedTwice(inbox), unknown };
  recordCount({ rows: rows.length, received: rows.filter(({ email }) => received.has(email)).length, ...balance });
  return balance;
}

function isFinal({ status, cancelled }: Recipient): boolean {
  if (status === null || status === 'deferred') return cancelled;
  return status !== 'in_flight';
}

/** What the server refused for good was not accepted, and says so with its code. */
function isPromised({ status, smtpCode, cancelled }: Recipient): boolean {
  if (status === 'unknown' || (cancelled && status !== 'sent')) return false;
  return !(status === 'could_not_be_sent' && smtpCode !== null);
}

/**
 * Recipients that are `unknown` although their mail was accepted. A sender that lived through a fault of the database has the
 * answers to all that it handed over, and records them.
 */
export async function answersLost(world: World, mailingIds: readonly bigint[]): Promise<number> {
  const { rows } = await world.db.pool.query<{ email: string }>(
    `SELECT lower(r.email) AS email FROM mailing_recipient r JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
      WHERE r.mailing_id = ANY($1) AND d.status = 'unknown'`,
    [mailingIds],
  );
  const received = acceptedAddresses(world.stack.inbox);
  return rows.filter(({ email }) => received.has(email)).length;
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
