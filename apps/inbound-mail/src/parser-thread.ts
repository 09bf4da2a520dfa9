import { parentPort } from 'node:worker_threads';
import type { InboundLimits } from '@postloop/mail-domain/inbound';
import { readMail } from './read-mail.js';

/** The entry of a parser's thread: a message in, what it says out. It holds no keys and opens nothing. */
parentPort?.on('message', ({ raw, limits }: { raw: Uint8Array; limits: InboundLimits }) => {
  parentPort?.postMessage(readMail(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength), limits));
});
