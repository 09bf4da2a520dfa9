import {
  type ClaimedMessage,
  type Database,
  type InboundOutcome,
  recordInboundMessage,
  selectMailedRecipients,
} from '@postloop/db';
import type { Keyring } from '@postloop/mail-domain';
import { killPoint, type Logger } from '@postloop/service-kit';
import { findTargets, type Target } from './find-targets.js';
import { judgeMessage, type KnownTarget, unassigned } from './judge-message.js';
import type { Metrics } from './metrics.js';
import type { OwnAddresses } from './own-addresses.js';
import type { ReadResult } from './parser.js';

export interface ProcessContext {
  db: Database;
  keyring: Keyring;
  own: OwnAddresses;
  metrics: Metrics;
  log: Pick<Logger, 'info' | 'warn'>;
}

/** A message that took the process down, or that the database refused, this many times is left alone. */
export const MAX_ATTEMPTS = 5;

/** One claimed message: read it, find whom it concerns, record what it says. Doing it again changes nothing. */
export async function processMessage(
  context: ProcessContext,
  read: (raw: Buffer) => Promise<ReadResult>,
  message: ClaimedMessage,
): Promise<void> {
  const { db, metrics, log } = context;
  const outcome = await outcomeOf(context, read, message);
  const inserted = await recordInboundMessage(db, message, outcome);
  killPoint('inbound.after-record');
  metrics.messages.inc({ source: message.source, outcome: outcome.status });
  if (outcome.status === 'unassigned') metrics.unassigned.inc();
  for (const { category } of inserted) metrics.responses.inc({ category });
  const { status, reason } = outcome;
  log.info({ messageId: message.id, status, reason, responses: inserted.length }, 'message recorded');
}

async function outcomeOf(
  context: ProcessContext,
  read: (raw: Buffer) => Promise<ReadResult>,
  message: ClaimedMessage,
): Promise<InboundOutcome> {
  if (message.attempts > MAX_ATTEMPTS) return unassigned(`it could not be recorded in ${MAX_ATTEMPTS} attempts`);
  const result = await read(message.raw);
  if (result.kind === 'gave_up') return unassigned(result.reason);
  const targets = findTargets(context.own, context.keyring, message.envelopeTo, result.reading);
  const known = await knownTargets(context.db, targets);
  if (targets.length > 0 && known.length === 0) return unassigned('its recipient is not known (any more)');
  return judgeMessage(message, result.reading, known);
}

async function knownTargets(db: Database, targets: readonly Target[]): Promise<KnownTarget[]> {
  if (targets.length === 0) return [];
  const recipients = await selectMailedRecipients(db.pool, targets);
  const emails = new Map(recipients.map((one) => [`${one.mailingId}/${one.recipientId}`, one.email]));
  return targets.flatMap((target) => {
    const email = emails.get(`${target.mailingId}/${target.recipientId}`);
    return email === undefined ? [] : [{ ...target, email }];
  });
}
