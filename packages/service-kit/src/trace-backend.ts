import {
  type Attributes,
  type Context,
  context,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { RetryLater } from '@postloop/contracts';

// Loaded by tracing.ts, and only when traces are wanted. Nothing else imports it but for types.

/** IDs as bigints; they are written as decimal strings. What is null or undefined is left out. */
export type SpanAttributes = Record<string, string | number | boolean | bigint | null | undefined>;

/** A place in a trace; only to be handed on. */
export type TraceScope = Context;

export interface SpanOptions {
  attributes?: SpanAttributes;
  /** `client`: waits for a server of somebody else. */
  kind?: 'internal' | 'client';
  /** In place of the span that runs here. */
  parent?: TraceScope | undefined;
  /** Begins a trace, linked to the span that runs here. */
  newTrace?: boolean;
}

export type TraceBackend = ReturnType<typeof createBackend>;

/** Links that a span may have; more would only be dropped by the SDK (its default is 128). */
export const MAX_LINKS = 100;

export function createBackend() {
  const tracer = trace.getTracer('postloop');

  return {
    withSpan<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
      const { attributes = {}, kind = 'internal', parent = context.active(), newTrace: root = false } = options;
      const caller = trace.getSpanContext(parent);
      const span = tracer.startSpan(
        name,
        {
          attributes: plain(attributes),
          kind: kind === 'client' ? SpanKind.CLIENT : SpanKind.INTERNAL,
          root,
          links: root && caller ? [{ context: caller }] : [],
        },
        parent,
      );
      return context.with(trace.setSpan(parent, span), () => endWith(span, work));
    },
    describe(attributes: SpanAttributes): void {
      trace.getActiveSpan()?.setAttributes(plain(attributes));
    },
    async link(select: () => Promise<readonly string[]>): Promise<void> {
      const span = trace.getActiveSpan();
      if (!span?.isRecording()) return;
      try {
        const links = (await select()).slice(0, MAX_LINKS).map(parseTraceparent);
        const { traceId } = span.spanContext();
        span.addLinks(links.filter((link) => link !== undefined && link.context.traceId !== traceId) as Link[]);
      } catch {
        span.setAttribute('postloop.links', 'unknown');
      }
    },
    traceparent(): string | null {
      const kept = sampled();
      return kept ? `00-${kept.traceId}-${kept.spanId}-01` : null;
    },
    traceFields(): { traceId?: string } {
      const kept = sampled();
      return kept ? { traceId: kept.traceId } : {};
    },
    scope: (): TraceScope => context.active(),
  };
}

function sampled(): SpanContext | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  return span && span.traceFlags & TraceFlags.SAMPLED ? span : undefined;
}

async function endWith<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // To come back later is the course of things.
    if (!(error instanceof RetryLater))
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'error' });
    throw error;
  } finally {
    span.end();
  }
}

/** W3C Trace Context 3.2, version 00. Undefined for anything else: it comes out of a database. */
function parseTraceparent(text: string): Link | undefined {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { context: { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true } };
}

function plain(attributes: SpanAttributes): Attributes {
  const written: Attributes = {};
  for (const [name, value] of Object.entries(attributes))
    if (value !== null && value !== undefined) written[name] = typeof value === 'bigint' ? value.toString() : value;
  return written;
}
