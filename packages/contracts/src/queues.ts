import { z } from 'zod';

/** A 64-bit ID as it travels in JSON: a decimal string; a `bigint` once parsed. */
export const id = z.codec(z.string().regex(/^[1-9]\d{0,18}$/), z.bigint(), {
  decode: (text) => BigInt(text),
  encode: (value) => value.toString(),
});

/** How often a failing job is tried, and how long it waits: `delayMs * 2^(attempt - 1)`. */
export interface RetryRule {
  attempts: number;
  delayMs: number;
}

/**
 * A queue: a stage noun, a payload of IDs (never bodies), its retry rule.
 * `jobId` names the work, so that the same work is not queued twice; it is a convenience,
 * the unique constraints and compare-and-sets in PostgreSQL are the authority.
 */
export interface QueueContract<P extends z.ZodType<object, Record<string, unknown>>> {
  name: string;
  payload: P;
  retry: RetryRule;
  jobId: (payload: z.output<P>) => string;
  /**
   * What becomes of the same work asked for while it runs: `once` drops it, for what is asked is being done; `again` does it
   * once more afterwards, for the running one may have looked too early.
   */
  whileActive: 'once' | 'again';
}

function queue<P extends z.ZodType<object, Record<string, unknown>>>(contract: QueueContract<P>): QueueContract<P> {
  return contract;
}

/** The map of the system: every message that one app sends to another. */
export const queues = {
  /** scheduler, importer -> sftp-ingest: look at the inboxes of a client. */
  inboxPoll: queue({
    name: 'inbox-poll',
    payload: z.object({ v: z.literal(1), clientId: id }),
    retry: { attempts: 3, delayMs: 5_000 },
    jobId: ({ clientId }) => `inbox-poll-${clientId}`,
    whileActive: 'again',
  }),
  /** sftp-ingest -> importer: a file was claimed and waits in `processing/`. From mailing-factory: file it under failed/. */
  fileImport: queue({
    name: 'file-import',
    payload: z.object({ v: z.literal(1), importId: id }),
    retry: { attempts: 5, delayMs: 1_000 },
    jobId: ({ importId }) => `file-import-${importId}`,
    whileActive: 'once',
  }),
  /** importer -> mailing-factory: the rows of an import are stored; copy its source mailings and start the copies. */
  mailingBuild: queue({
    name: 'mailing-build',
    payload: z.object({ v: z.literal(1), importId: id }),
    retry: { attempts: 5, delayMs: 1_000 },
    jobId: ({ importId }) => `mailing-build-${importId}`,
    whileActive: 'once',
  }),
  /** mailing-factory -> sender-workers: send one batch (a range of recipient IDs) of a mailing. */
  mailSend: queue({
    name: 'mail-send',
    payload: z.object({ v: z.literal(1), mailingId: id, batch: z.int().min(0) }),
    retry: { attempts: 8, delayMs: 1_000 },
    jobId: ({ mailingId, batch }) => `mail-send-${mailingId}-${batch}`,
    whileActive: 'once',
  }),
  /** scheduler -> response-exporter: hand a client's news back. `resume` only finishes a run that was planned before. */
  responseExport: queue({
    name: 'response-export',
    payload: z.object({ v: z.literal(1), clientId: id, resume: z.boolean() }),
    retry: { attempts: 5, delayMs: 5_000 },
    jobId: ({ clientId, resume }) => `response-export-${clientId}${resume ? '-resume' : ''}`,
    whileActive: 'once',
  }),
} as const;

export type Queues = typeof queues;
export type QueueKey = keyof Queues;
/** What a handler of the queue receives. */
export type Payload<K extends QueueKey> = z.output<Queues[K]['payload']>;
