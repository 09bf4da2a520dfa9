import { Counter, Gauge, type Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics(registry: Registry) {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `postloop_gateway_${name}`, help, labelNames, registers });
  return {
    eventsSpooled: counter('events_spooled_total', 'Events on disk, answered', ['kind']),
    eventsRecorded: counter('events_recorded_total', 'Events committed to the database', ['kind']),
    eventsLost: counter('events_lost_total', 'Clicks redirected although they could not be written to the spool', [
      'kind',
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

/** Registers the bytes that wait in the spool, asked for at each scrape. */
export function watchSpool(registry: Registry, spool: { readonly waitingBytes: number }): void {
  new Gauge({
    name: 'postloop_gateway_spool_waiting_bytes',
    help: 'Bytes of events in the spool that are not in the database',
    registers: [registry],
    collect() {
      this.set(spool.waitingBytes);
    },
  });
}
