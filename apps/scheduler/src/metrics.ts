import { inboxDirectories, queues } from '@postloop/contracts';
import { startAtZero } from '@postloop/service-kit';
import { Counter, Gauge, type Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics(registry: Registry) {
  const registers = [registry];
  const byKind = (name: string, help: string, kinds: readonly string[]) =>
    startAtZero(new Counter({ name, help, labelNames: ['kind'] as const, registers }), 'kind', kinds);
  return {
    schedulesRun: byKind('postloop_schedules_run_total', 'Schedules that came due and were enqueued', [
      'inbox_poll',
      'response_export',
    ]),
    reenqueued: byKind(
      'postloop_reenqueued_total',
      'Jobs enqueued again because their work stood still; those still in the queue are not doubled',
      Object.keys(queues),
    ),
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
    notices: startAtZero(
      new Counter({
        name: 'postloop_notices_total',
        help: 'Status mails by recipient and by what became of them',
        labelNames: ['outcome'] as const,
        registers,
      }),
      'outcome',
      ['sent', 'delayed', 'refused'],
    ),
    logFiles: startAtZero(
      new Counter({
        name: 'postloop_log_files_total',
        help: 'Log files made anew on the SFTP server, or not',
        labelNames: ['outcome'] as const,
        registers,
      }),
      'outcome',
      ['written', 'failed'],
    ),
    removedFiles: startAtZero(
      new Counter({
        name: 'postloop_removed_files_total',
        help: 'Files whose time was over, removed from the SFTP server',
        labelNames: ['directory'] as const,
        registers,
      }),
      'directory',
      ['logs', 'export', ...inboxDirectories],
    ),
    oldestWaiting: new Gauge({
      name: 'postloop_oldest_waiting_seconds',
      help: 'Age of the oldest work that waits, by kind; 0 when none does',
      labelNames: ['work'] as const,
      registers,
    }),
    exports: new Gauge({
      name: 'postloop_exports',
      help: 'Clients whose response export runs or should run now: due, or late after 15 minutes',
      labelNames: ['state'] as const,
      registers,
    }),
    openImports: new Gauge({
      name: 'postloop_open_imports',
      help: 'Recipient files between claim and start, by status',
      labelNames: ['status'] as const,
      registers,
    }),
    lagMeasuredAt: new Gauge({
      name: 'postloop_lag_measured_timestamp_seconds',
      help: 'When the ages of waiting work, exports and open imports were measured last',
      registers,
    }),
  };
}
