import type { ByteBudget } from './byte-budget.js';

export interface MessageLimits {
  maxBytes: number;
  budget: ByteBudget;
  /** Called when a client goes on far beyond the limit: nobody has to listen to the end. */
  cut: () => void;
}

export type ReadMessage = { kind: 'whole'; raw: Buffer; release: () => void } | { kind: 'too_big' } | { kind: 'busy' };

/** A client that was told the limit and sends this many times as much is not answered any more. */
const PATIENCE = 10;

/**
 * Reads a message to its end. What is over a limit is read and thrown away, because the answer can be given only after the
 * final dot. Call `release` when the message is stored. Rejects when the connection ends before.
 */
export async function readMessage(stream: AsyncIterable<Buffer>, limits: MessageLimits): Promise<ReadMessage> {
  let chunks: Buffer[] = [];
  let size = 0;
  let held = 0;
  let busy = false;
  const release = () => {
    limits.budget.give(held);
    held = 0;
  };
  try {
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > limits.maxBytes * PATIENCE) limits.cut();
      busy ||= size <= limits.maxBytes && !limits.budget.take(chunk.length);
      if (busy || size > limits.maxBytes) {
        chunks = [];
        release();
      } else {
        chunks.push(chunk);
        held += chunk.length;
      }
    }
  } catch (error) {
    release();
    throw error;
  }
  if (size > limits.maxBytes) return { kind: 'too_big' };
  return busy ? { kind: 'busy' } : { kind: 'whole', raw: Buffer.concat(chunks), release };
}
