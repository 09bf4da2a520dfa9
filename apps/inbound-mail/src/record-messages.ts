import { describeError } from '@postloop/contracts';
import { type ClaimedMessage, type Database, recordInboundMessages, selectMailedRecipients } from '@postloop/db';
import type { Keyring } from '@postloop/mail-domain';
import { killPoint, type Logger } from '@postloop/service-kit';
import { findTargets, type Target } from './find-targets.js';
import { judgeMessage, type KnownTarget, unassigned } from './judge-message.js';
import type { Metrics } from './metrics.js';
import type { OwnAddresses } from './own-addresses.js';
import type { ReadResult } from './parser.js';

export interface RecordContext {
  db: Database;
  keyring: Keyring;
  own: OwnAddresses;
  metrics: Metrics;
  log: Pick<Logger, 'info' | 'warn'>;
}

/** A claimed message and what was read of it. */
export interface ReadMessage {
  message: ClaimedMessage;
  result: ReadResult;
}

/**
 * Finds whom messages concern and records what they say, in one transaction. Doing it again changes nothing. When it fails
 * each is tried alone, so that one which the database refuses stays behind alone: it comes back with its lease.
 */
export async function recordMessages(context: RecordContext, read: readonly ReadMessage[]): Promise<void> {
  if (read.length === 0) return;
  try {
    await recordTogether(context, read);
  } catch (error) {
    if (read.length > 1) await Promise.all(read.map((one) => recordMessages(context, [one])));
    else {
      const messageId = read[0]?.message.id;
      context.log.warn({ messageId, error: describeError(error) }, 'a message could not be recorded yet');
    }
  }
}

async function recordTogether(context: RecordContext, read: readonly ReadMessage[]): Promise<void> {
  const { db, metrics, log } = context;
  const targeted = read.map((one) => ({ ...one, targets: targetsOf(context, one) }));
  const known = await knownTargets(
    db,
    targeted.flatMap(({ targets }) => targets),
  );
  const lookedAt = targeted.map((one) => ({ message: one.message, outcome: outcomeOf(one, known) }));
  const inserted = await recordInboundMessages(db, lookedAt);
  killPoint('inbound.after-record');
  for (const { category } of inserted) metrics.responses.inc({ category });
  for (const { message, outcome } of lookedAt) {
    const { status, reason, responses } = outcome;
    metrics.messages.inc({ source: message.source, outcome: status });
    if (status === 'unassigned') metrics.unassigned.inc();
    log.info({ messageId: message.id, status, reason, responses: responses.length }, 'message recorded');
  }
}

const targetsOf = ({ own, keyring }: RecordContext, { message, result }: ReadMessage): Target[] =>
  result.kind === 'read' ? findTargets(own, keyring, message.envelopeTo, result.reading) : [];

function outcomeOf(
  { message, result, targets }: ReadMessage & { targets: readonly Target[] },
  known: ReadonlyMap<string, string | null>,
) {
  if (result.kind === 'gave_up') return unassigned(result.reason);
  const there = targets.flatMap((target): KnownTarget[] => {
    const email = known.get(keyOf(target));
    return email === undefined ? [] : [{ ...target, email }];
  });
  if (targets.length > 0 && there.length === 0) return unassigned('its recipient is not known (any more)');
  return judgeMessage(message, result.reading, there);
}

/** The addresses of the targets that exist. */
async function knownTargets(db: Database, targets: readonly Target[]): Promise<Map<string, string | null>> {
  if (targets.length === 0) return new Map();
  const recipients = await selectMailedRecipients(db.pool, targets);
  return new Map(recipients.map((one) => [keyOf(one), one.email]));
}

const keyOf = ({ mailingId, recipientId }: Pick<Target, 'mailingId' | 'recipientId'>) => `${mailingId}/${recipientId}`;
