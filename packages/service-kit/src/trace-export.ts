import { DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { describeError } from '@postloop/contracts';
import type { Logger } from './logger.js';

// Loaded by start-tracing.ts, and only when traces are wanted. Nothing else imports it.

/** Time for the last spans to leave the process, in milliseconds. */
const FLUSH_MS = 3_000;

/**
 * Sends this process's spans to an OTLP/HTTP collector. Whoever begins a trace decides for all of it whether it is kept: this
 * share of them. Headers, certificates and time limits are read by the exporter itself (`OTEL_EXPORTER_OTLP_…`).
 * Disposing sends what is left, for FLUSH_MS at most.
 */
export function exportTraces(service: string, endpoint: string, share: number, log: Logger): AsyncDisposable {
  diag.setLogger(diagnosticsIn(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'service.namespace': 'postloop' }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` })),
    ],
  });
  provider.register();
  return {
    async [Symbol.asyncDispose]() {
      const late = new Promise<string>((resolve) => {
        setTimeout(resolve, FLUSH_MS, 'the collector did not take the last spans in time').unref();
      });
      const ended = provider.shutdown().then(() => undefined, describeError);
      const why = await Promise.race([ended, late]);
      if (why !== undefined) log.warn({ telemetry: why }, 'traces');
    },
  };
}

/** A collector that is away must be heard of, and must not fail anything. */
function diagnosticsIn(log: Logger) {
  const warn = (told: string) => {
    const message = /"message":"([^"]*)"/.exec(told)?.[1] ?? told; // errors come as JSON, with their stack
    log.warn({ telemetry: message.slice(0, 300) }, 'traces');
  };
  return { error: warn, warn, info: () => undefined, debug: () => undefined, verbose: () => undefined };
}
