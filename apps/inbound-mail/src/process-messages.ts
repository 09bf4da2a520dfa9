import { describeError } from '@postloop/contracts';
import { type ClaimedMessage, claimInboundMessages, giveBackInboundMessages } from '@postloop/db';
import type { Parser } from './parser.js';
import { processBatch } from './process-batch.js';
import { type ProcessLoop, startProcessLoop } from './process-loop.js';
import { type ReadMessage, type RecordContext, recordMessages } from './record-messages.js';

export interface ProcessOptions extends RecordContext {
  /** How long a message stays with a process that fell silent, in milliseconds. */
  leaseMs: number;
  /** Pause between looks for what nobody told of, in milliseconds. */
  retryMs: number;
}

/** A message that took the process down, or that the database refused, this many times is left alone. */
const MAX_ATTEMPTS = 5;
const BATCH = { messages: 100, bytes: 20_000_000 };
const INTERVAL_MS = 200;
const PATIENCE_MS = 1_000;

/** Claims, reads and records batches of messages, with a parser that is its own: what takes long holds up this loop only. */
export function startProcessing(options: ProcessOptions, parser: Pick<Parser, 'read'>): ProcessLoop {
  const { db, log, leaseMs, retryMs } = options;
  const steps = {
    read: (message: ClaimedMessage) => readMessage(parser, message),
    record: (read: readonly ReadMessage[]) => recordMessages(options, read),
    giveBack: (messages: readonly ClaimedMessage[]) =>
      giveBackInboundMessages(db.pool, messages).catch((error) =>
        log.warn({ error: describeError(error) }, 'messages are looked at when their lease is over'),
      ),
    patienceMs: Math.min(PATIENCE_MS, leaseMs / 4),
  };
  return startProcessLoop({
    claim: () => claimInboundMessages(db.pool, leaseMs, BATCH),
    process: (messages) => processBatch(messages, steps),
    isFull,
    intervalMs: INTERVAL_MS,
    retryMs,
    log,
  });
}

async function readMessage(parser: Pick<Parser, 'read'>, message: ClaimedMessage): Promise<ReadMessage> {
  if (message.attempts <= MAX_ATTEMPTS) return { message, result: await parser.read(message.raw) };
  return { message, result: { kind: 'gave_up', reason: `it could not be recorded in ${MAX_ATTEMPTS} attempts` } };
}

/** In number, in bytes (the next one was too large), or a message that goes alone. */
function isFull(messages: readonly ClaimedMessage[]): boolean {
  const bytes = messages.reduce((sum, { raw }) => sum + raw.length, 0);
  return messages.length === BATCH.messages || bytes > BATCH.bytes / 2 || messages.some(({ attempts }) => attempts > 1);
}
