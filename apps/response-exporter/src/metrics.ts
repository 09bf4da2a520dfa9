import { csvFileKinds } from '@postloop/db';
import { startAtZero } from '@postloop/service-kit';
import { Counter, Gauge, type Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics(registry: Registry) {
  const registers = [registry];
  const rows = new Counter({
    name: 'postloop_exported_rows_total',
    help: 'Rows handed back in response files',
    labelNames: ['kind'] as const,
    registers,
  });
  return {
    rows: startAtZero(rows, 'kind', csvFileKinds),
    lastExport: new Gauge({
      name: 'postloop_last_export_timestamp_seconds',
      help: 'When the last response export of a client ended',
      labelNames: ['client'] as const,
      registers,
    }),
  };
}
