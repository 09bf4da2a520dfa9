import { Counter, Gauge, type Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

const CATEGORIES = ['autoresponder', 'unknown', 'temporary_bounce', 'bounce', 'fatal_bounce'];

export function createMetrics(registry: Registry) {
  const registers = [registry];
  const metrics = {
    /** outcome: stored, known, refused_…, failed; then recorded, no_response, unassigned. */
    messages: new Counter({
      name: 'postloop_inbound_messages_total',
      help: 'Messages that came in, by way and what became of them',
      labelNames: ['source', 'outcome'],
      registers,
    }),
    recipientsRefused: new Counter({
      name: 'postloop_inbound_recipients_refused_total',
      help: 'RCPT TO that named nobody here, forged return paths among them',
      registers,
    }),
    responses: new Counter({
      name: 'postloop_responses_total',
      help: 'Responses that were recorded from mail that came in',
      labelNames: ['category'],
      registers,
    }),
    unassigned: new Counter({
      name: 'postloop_inbound_unassigned_total',
      help: 'Messages that could not be assigned to a recipient',
      registers,
    }),
    parsersReplaced: new Counter({
      name: 'postloop_inbound_parsers_replaced_total',
      help: 'Threads that were ended because a message took too much time or memory',
      registers,
    }),
  };
  // There from the start: a rate over a counter that appears with its first count misses that one.
  for (const category of CATEGORIES) metrics.responses.inc({ category }, 0);
  for (const outcome of ['stored', 'recorded', 'no_response', 'unassigned'])
    metrics.messages.inc({ source: 'smtp', outcome }, 0);
  return metrics;
}

/** Registers the messages that wait to be looked at, asked for at each scrape. */
export function watchWaiting(registry: Registry, count: () => Promise<number>): void {
  new Gauge({
    name: 'postloop_inbound_waiting',
    help: 'Messages that are stored and not looked at yet',
    registers: [registry],
    async collect() {
      // Without the database there is no figure; the scrape goes on.
      this.set(await count().catch(() => Number.NaN));
    },
  });
}
