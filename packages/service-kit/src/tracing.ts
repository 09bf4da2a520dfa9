import type { SpanAttributes, SpanOptions, TraceBackend, TraceScope } from './trace-backend.js';

// What the apps say about their work. With tracing off, which is the default, each of these functions is one comparison, and
// nothing of OpenTelemetry is even loaded.

export type { SpanAttributes, SpanOptions, TraceScope } from './trace-backend.js';

let backend: TraceBackend | undefined;

export function tracingOn(): boolean {
  return backend !== undefined;
}

/** Traces go from now on to the provider that is registered in this process. */
export async function useTracing(): Promise<void> {
  backend = (await import('./trace-backend.js')).createBackend();
}

/** Runs `work` in a span of its own. A rejection marks the span by the error's name alone: its message may quote a customer. */
export function withSpan<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
  return backend ? backend.withSpan(name, options, work) : work();
}

/** Adds to the span that runs here. IDs and counts: never an address, never content. */
export function describeSpan(attributes: SpanAttributes): void {
  backend?.describe(attributes);
}

/**
 * Links the span that runs here to other traces, except its own; at most MAX_LINKS. `select` is only asked when the answer
 * is of use, and its failure fails nothing: the work is done with or without a trace.
 * @param select traceparents (W3C Trace Context)
 */
export async function linkTraces(select: () => Promise<readonly string[]>): Promise<void> {
  await backend?.link(select);
}

/** The span that runs here, as W3C traceparent; null when there is none or it is not sampled. */
export function traceparent(): string | null {
  return backend?.traceparent() ?? null;
}

/** For a log line: `traceId` of the span that runs here, when it is sampled. A fresh object: pino writes into it. */
export function traceFields(): { traceId?: string } {
  return backend?.traceFields() ?? {};
}

/** Where the caller stands in a trace, to be given as `parent` to a span that is started elsewhere. */
export function traceScope(): TraceScope | undefined {
  return backend?.scope();
}
