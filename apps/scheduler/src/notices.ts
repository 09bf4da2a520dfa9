import { type Clock, clientSettings } from '@postloop/contracts';
import { claimNotice, type Database, type DueNotice, endNotice, putOffNotice, withDeliveries } from '@postloop/db';
import { killPoint, type Logger } from '@postloop/service-kit';
import type { Metrics } from './metrics.js';
import { eventOf, noticeText } from './notice-text.js';
import type { SendNotice } from './notice-transport.js';

export interface NoticeDeps {
  db: Database;
  send: SendNotice;
  /** Domain of the Message-IDs. */
  domain: string;
  clock: Clock;
  log: Pick<Logger, 'warn' | 'error'>;
  metrics: Metrics;
}

/** Entries of one round, so that a stop need not wait for all. */
const ROUND = 50;
const LEASE_MS = 5 * 60_000;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 15 * 60_000;
/** RFC 5321 4.5.4.1: give up after 4 to 5 days at the earliest. */
const GIVE_UP_MS = 5 * 86_400_000;

/**
 * Mails what the journal has new to those whom the clients named. An entry is leased, mailed, settled: a scheduler that dies
 * in between leaves a lease that runs out, and the mail goes out again under the same Message-ID. A server that is away
 * puts the mails off.
 */
export async function sendNotices(deps: NoticeDeps): Promise<void> {
  for (let count = 0; count < ROUND; count += 1) {
    const notice = await claimNotice(deps.db.pool, deps.clock.now(), LEASE_MS);
    if (!notice || !(await mail(deps, notice))) return;
  }
}

/** @returns false when the server takes nothing at the moment */
async function mail(deps: NoticeDeps, { entry, client, to: left, attempts }: DueNotice): Promise<boolean> {
  const { db, clock } = deps;
  const settings = clientSettings.parse(client.settings);
  const event = eventOf(entry);
  const to = left ?? (event && settings.notices.on.includes(event) ? settings.notices.addresses : []);
  if (to.length === 0) {
    await endNotice(db.pool, entry.id, clock.now());
    return true;
  }
  const { onError } = settings;
  const told = await withDeliveries(db.pool, entry);
  const text = noticeText({ entry: told, clientName: client.name, timeZone: client.timeZone, onError });
  const messageId = `<notice.${entry.id}.${entry.createdAt.getTime()}@${deps.domain}>`;
  const outcome = await deps.send({ ...text, messageId, to });
  killPoint('scheduler.after-notice');
  await settle(deps, { entry, attempts }, outcome);
  return !outcome.away;
}

async function settle(
  { db, clock, log, metrics }: NoticeDeps,
  { entry, attempts }: Pick<DueNotice, 'entry' | 'attempts'>,
  { accepted, refused, deferred, reason }: Awaited<ReturnType<SendNotice>>,
): Promise<void> {
  const now = clock.now();
  const ids = { journalId: entry.id, clientId: entry.clientId, reason };
  metrics.notices.inc({ outcome: 'sent' }, accepted.length);
  metrics.notices.inc({ outcome: 'refused' }, refused.length);
  if (refused.length > 0) log.error({ ...ids, recipients: refused.length }, 'the mail server refused a status mail');
  if (deferred.length === 0) return endNotice(db.pool, entry.id, now);
  if (now.getTime() - entry.createdAt.getTime() > GIVE_UP_MS) {
    metrics.notices.inc({ outcome: 'refused' }, deferred.length);
    log.error({ ...ids, recipients: deferred.length }, 'gave a status mail up after five days');
    return endNotice(db.pool, entry.id, now);
  }
  metrics.notices.inc({ outcome: 'delayed' }, deferred.length);
  log.warn({ ...ids, recipients: deferred.length, attempts }, 'a status mail is put off');
  return putOffNotice(db.pool, entry.id, deferred, new Date(now.getTime() + pauseAfter(attempts)));
}

const pauseAfter = (attempts: number): number => Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS);
