import type { Logger } from './logger.js';
import { useTracing } from './tracing.js';

/** Turns tracing on when the configuration names a collector. Dispose of it last: what happens at the end is told, too. */
export async function startTracing(
  service: string,
  config: { OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined; OTEL_TRACES_SAMPLER_ARG: number },
  log: Logger,
): Promise<AsyncDisposable> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: share } = config;
  if (endpoint === undefined) return { [Symbol.asyncDispose]: async () => undefined };
  const { exportTraces } = await import('./trace-export.js');
  const running = exportTraces(service, endpoint, share, log);
  await useTracing();
  log.info({ endpoint: new URL(endpoint).origin, share }, 'tracing');
  return running;
}
