import { describeError, RetryLater } from '@postloop/contracts';
import {
  type Attempt,
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
import type { MailingRenderer } from './renderers.js';
import type { Transport } from './transport.js';

export interface MailLoad {
  recipient: RecipientToSend;
  renderer: MailingRenderer;
  sign: DkimSigner;
  /** The batch's span; undefined without tracing. */
  trace: TraceScope | undefined;
  /** The recipient's answer is recorded. */
  settled: () => void;
}

export interface SendContext {
  db: Database;
  transport: Pick<Transport, 'dispatcher' | 'signerOf'>;
  rendererOf: (mailingId: bigint) => Promise<MailingRenderer>;
  leaseMs: number;
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
  await withLease(context, claim, (lost) => sendAll(context, claim, recipients, AbortSignal.any([signal, lost])));
  const { dueInMs, finished } = await db.transaction((sql) => releaseBatch(sql, claim));
  describeSpan({ 'postloop.recipients': recipients.length, 'postloop.finished': finished });
  log.info({ recipients: recipients.length, dueInMs, finished }, 'batch released');
  if (dueInMs !== null) throw new RetryLater(Math.ceil(dueInMs), 'recipients of this batch are due later');
}

async function sendAll(
  context: SendContext,
  claim: BatchClaim,
  recipients: readonly RecipientToSend[],
  signal: AbortSignal,
): Promise<void> {
  if (recipients.length === 0) return;
  const { dispatcher, signerOf } = context.transport;
  const renderer = await context.rendererOf(claim.mailingId);
  const sign = signerOf({ id: claim.mailingId, fromAddress: renderer.fromAddress });
  const trace = traceScope();
  const withdraw = () => dispatcher.withdraw((departure) => departure.attempt.attemptId === claim.attemptId);
  const settled = recipients.map(
    (recipient) =>
      new Promise<void>((resolve, reject) => {
        const attempt: Attempt = { ...claim, recipientId: recipient.id, email: recipient.email };
        dispatcher.add([
          {
            attempt,
            load: { recipient, renderer, sign, trace, settled: resolve },
            cleared: (verdict) => verdict !== 'in_flight' && resolve(),
            failed: reject,
          },
        ]);
      }),
  );
  signal.addEventListener('abort', withdraw, { once: true });
  if (signal.aborted) withdraw();
  const results = await Promise.allSettled(settled);
  signal.removeEventListener('abort', withdraw);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
}

/** Renews the lease while `work` runs, and tells it when the lease is lost. */
async function withLease(
  context: SendContext,
  claim: BatchClaim,
  work: (lost: AbortSignal) => Promise<void>,
): Promise<void> {
  const lost = new AbortController();
  const timer = setInterval(async () => {
    try {
      if (!(await renewLease(context.db.pool, claim, context.leaseMs))) lost.abort();
    } catch (error) {
      context.log.warn({ error: describeError(error) }, 'lease not renewed');
    }
  }, context.leaseMs / 3);
  try {
    await work(lost.signal);
  } finally {
    clearInterval(timer);
  }
}
