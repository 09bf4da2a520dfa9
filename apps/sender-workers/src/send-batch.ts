import { describeError, RetryLater } from '@postloop/contracts';
import {
  type BatchClaim,
  type BatchKey,
  claimBatch,
  type Database,
  type RecipientToSend,
  releaseBatch,
  renewLease,
  selectRecipientsToSend,
  selectTracesOfMailings,
} from '@postloop/db';
import type { RenderData } from '@postloop/mail-domain';
import type { DkimSigner } from '@postloop/mail-domain/dkim';
import {
  describeSpan,
  killPoint,
  type Logger,
  linkTraces,
  type TraceScope,
  traceScope,
  withSpan,
} from '@postloop/service-kit';
import type { MailRenderer } from './compose-with-nodemailer.js';
import type { Departure } from './dispatcher.js';
import type { PrepareMails, ReadyMails } from './mail-data.js';
import type { RefusedWrite } from './refused-writes.js';
import type { SendingMailing } from './sending-mailings.js';
import type { Transport } from './transport.js';

export interface MailLoad {
  recipient: RecipientToSend;
  renderer: MailRenderer;
  /** What its mail takes from elsewhere. */
  data: RenderData;
  sign: DkimSigner;
  /** The batch's span; undefined without tracing. */
  trace: TraceScope | undefined;
  /** The recipient's answer is recorded. */
  settled: () => void;
}

export interface SendContext {
  db: Database;
  transport: Pick<Transport, 'dispatcher' | 'signerOf' | 'gate'>;
  /** The limits that a mail to this address counts in. */
  scopesOf: (email: string) => readonly string[];
  mailingOf: (mailingId: bigint) => Promise<SendingMailing>;
  prepare: PrepareMails;
  leaseMs: number;
  refused: (write: RefusedWrite, count: number) => void;
  log: Logger;
}

/**
 * One batch: lease it, hand its recipients to the connections, keep the lease, give it back when every one of them is
 * settled. Asked to stop, it takes back those that are not in flight and leaves them queued.
 */
export function sendBatch(context: SendContext, key: BatchKey, signal: AbortSignal): Promise<void> {
  const attributes = { 'postloop.mailing': key.mailingId, 'postloop.batch': key.batch };
  return withSpan('batch.send', { attributes }, async () => {
    await linkTraces(() => selectTracesOfMailings(context.db.pool, [key.mailingId]));
    await claimAndSend(context, key, signal);
  });
}

async function claimAndSend(context: SendContext, key: BatchKey, signal: AbortSignal): Promise<void> {
  const { db } = context;
  const claim = await db.transaction((sql) => claimBatch(sql, key, context.leaseMs));
  if (!claim) return;
  const log = context.log.child({
    mailingId: key.mailingId.toString(),
    batch: key.batch,
    attemptId: claim.attemptId.toString(),
  });
  describeSpan({ 'postloop.attempt': claim.attemptId });
  killPoint('sender.after-claim');
  if (claim.unknown > 0)
    log.warn({ unknown: claim.unknown }, 'an earlier holder of this batch was lost with mails in flight');
  const recipients = await selectRecipientsToSend(db.pool, claim);
  const gaveWay = await withLease(context, claim, (lost) =>
    sendAll(context, claim, recipients, AbortSignal.any([signal, lost])),
  );
  const { dueInMs, finished } = await db.transaction(async (sql) => {
    const released = await releaseBatch(sql, claim);
    killPoint('sender.before-release');
    return released;
  });
  describeSpan({ 'postloop.recipients': recipients.length, 'postloop.finished': finished });
  log.info({ recipients: recipients.length, dueInMs, finished }, 'batch released');
  if (dueInMs !== null)
    throw new RetryLater(
      Math.max(Math.ceil(dueInMs), gaveWay ? GIVEN_WAY_MS : 0),
      'recipients of this batch are due later',
    );
}

/** So long a batch that limits hold back keeps its place while other batches wait for one, */
const HELD_BACK_MS = 1_000;
/** and so long it stays away then. */
const GIVEN_WAY_MS = 2_000;

/** @returns whether the batch was given back early, so that others are not held up by its limits or by slow content */
async function sendAll(
  context: SendContext,
  claim: BatchClaim,
  recipients: readonly RecipientToSend[],
  signal: AbortSignal,
): Promise<boolean> {
  if (recipients.length === 0) return false;
  const mailing = await context.mailingOf(claim.mailingId);
  for await (const part of context.prepare(mailing, recipients, signal)) {
    if (await sendPart(context, claim, mailing, part, signal)) return true;
    if (part.tookMs > HELD_BACK_MS && context.transport.gate.othersWait) return true;
  }
  return false;
}

/** Hands recipients to the connections and waits until all are settled. @returns whether they were taken back for others */
async function sendPart(
  context: SendContext,
  claim: BatchClaim,
  { id, program, renderer }: SendingMailing,
  { recipients, data }: ReadyMails,
  signal: AbortSignal,
): Promise<boolean> {
  const { dispatcher, signerOf, gate } = context.transport;
  const sign = signerOf({ id, fromAddress: program.fromAddress });
  const trace = traceScope();
  const withdraw = () => dispatcher.withdraw((departure) => departure.attempt.attemptId === attemptId);
  const { mailingId, batch, attemptId } = claim;
  const departures: Departure<MailLoad>[] = [];
  const settled = recipients.map(
    (recipient) =>
      new Promise<void>((resolve, reject) => {
        departures.push({
          attempt: { mailingId, batch, attemptId, recipientId: recipient.id, email: recipient.email },
          scopes: context.scopesOf(recipient.email),
          load: { recipient, renderer, data, sign, trace, settled: resolve },
          cleared: (verdict) => verdict !== 'in_flight' && resolve(),
          failed: reject,
        });
      }),
  );
  dispatcher.add(departures);
  signal.addEventListener('abort', withdraw, { once: true });
  if (signal.aborted) withdraw();
  let gaveWay = false;
  const watch = setInterval(() => {
    if (!dispatcher.heldBack || !gate.othersWait) return;
    gaveWay = true;
    withdraw();
  }, HELD_BACK_MS);
  const results = await Promise.allSettled(settled);
  clearInterval(watch);
  signal.removeEventListener('abort', withdraw);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
  return gaveWay;
}

/** Renews the lease while `work` runs, and tells it when the lease is lost. */
async function withLease<T>(
  context: SendContext,
  claim: BatchClaim,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  const timer = setInterval(async () => {
    try {
      if (lost.signal.aborted || (await renewLease(context.db.pool, claim, context.leaseMs))) return;
      context.refused('lease', 1);
      lost.abort();
    } catch (error) {
      context.log.warn({ error: describeError(error) }, 'lease not renewed');
    }
  }, context.leaseMs / 3);
  try {
    return await work(lost.signal);
  } finally {
    clearInterval(timer);
  }
}
