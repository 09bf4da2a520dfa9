import { Counter, Gauge, type Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    schedulesRun: new Counter({
      name: 'postloop_schedules_run_total',
      help: 'Schedules that came due and were enqueued',
      labelNames: ['kind'] as const,
      registers,
    }),
    reenqueued: new Counter({
      name: 'postloop_reenqueued_total',
      help: 'Jobs enqueued again because their work stood still; those still in the queue are not doubled',
      labelNames: ['kind'] as const,
      registers,
    }),
    finishedMailings: new Counter({
      name: 'postloop_reconciled_mailings_total',
      help: 'Mailings finished by the reconciler because the sender of the last batch did not',
      registers,
    }),
    queueDepth: new Gauge({
      name: 'postloop_queue_jobs',
      help: 'Jobs per queue and state',
      labelNames: ['queue', 'state'] as const,
      registers,
    }),
  };
}
