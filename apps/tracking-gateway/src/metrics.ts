import type { Clock } from '@postloop/contracts';
import { startAtZero } from '@postloop/service-kit';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { EventKind } from './spooled-event.js';

export type Metrics = ReturnType<typeof createMetrics>;

const EVENT_KINDS = ['open', 'click', 'unsubscribe'] as const satisfies readonly EventKind[];

export function createMetrics(registry: Registry) {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `postloop_gateway_${name}`, help, labelNames, registers });
  const events = (name: string, help: string, kinds: readonly string[]) =>
    startAtZero(counter(name, help, ['kind']), 'kind', kinds);
  return {
    eventsSpooled: events('events_spooled_total', 'Events on disk, answered', EVENT_KINDS),
    eventsRecorded: events('events_recorded_total', 'Events committed to the database', EVENT_KINDS),
    eventsLost: events('events_lost_total', 'Clicks redirected although they could not be written to the spool', [
      'click',
    ]),
    eventsRejected: counter('events_rejected_total', 'Events refused by the database, kept in rejected.jsonl'),
    drainFailures: counter('drain_failures_total', 'Batches that will be tried again'),
    answers: counter('answers_total', 'HTTP answers', ['route', 'code']),
    databaseUp: new Gauge({
      name: 'postloop_gateway_database_up',
      help: '1 when the database answered the last poll of links, 0 when not',
      registers,
    }),
  };
}

/**
 * Registers what waits in the spool, measured at each scrape.
 * @returns to be told when the oldest event that waits happened; undefined when it is recorded
 */
export function watchSpool(
  registry: Registry,
  spool: { readonly waitingBytes: number },
  clock: Clock,
): (oldest: Date | undefined) => void {
  let oldest: Date | undefined;
  new Gauge({
    name: 'postloop_gateway_spool_waiting_bytes',
    help: 'Bytes of events in the spool that are not in the database',
    registers: [registry],
    collect() {
      this.set(spool.waitingBytes);
    },
  });
  new Gauge({
    name: 'postloop_gateway_spool_oldest_seconds',
    help: 'Age of the oldest event that was answered and is not in the database; 0 when there is none',
    registers: [registry],
    collect() {
      this.set(oldest ? Math.max(0, clock.now().getTime() - oldest.getTime()) / 1_000 : 0);
    },
  });
  return (at) => {
    oldest = at;
  };
}
