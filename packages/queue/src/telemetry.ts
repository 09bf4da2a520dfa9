import { createRequire } from 'node:module';
import { type Exception, type Span, SpanKind, type Telemetry } from 'bullmq';

const require = createRequire(import.meta.url);

let jobs: Telemetry | undefined;

/**
 * Carries the trace of whoever enqueues a job to whoever does it. Two spans for a job, handed over (`addBulk`) and done
 * (`process`): BullMQ would also tell of every look into an empty queue. Loaded when it is first asked for, and with
 * `require`, because queues are opened, and opened anew, synchronously.
 */
export function jobTelemetry(): Telemetry {
  if (jobs) return jobs;
  const { BullMQOtel } = require('bullmq-otel') as typeof import('bullmq-otel');
  const { tracer, contextManager } = new BullMQOtel({ tracerName: 'postloop' });
  jobs = {
    contextManager,
    tracer: {
      startSpan: (name, options, context) =>
        options?.kind === SpanKind.INTERNAL ? SILENT : discreet(tracer.startSpan(name, options, context)),
    },
  };
  return jobs;
}

const nothing = () => undefined;
const SILENT: Span = {
  setSpanOnContext: (context) => context,
  setAttribute: nothing,
  setAttributes: nothing,
  addEvent: nothing,
  recordException: nothing,
  end: nothing,
};

/** Messages of errors may quote a customer's file: a trace gets their names, the log the rest. */
function discreet(span: Span): Span {
  return {
    setSpanOnContext: (context) => span.setSpanOnContext(context),
    setAttribute: (name, value) => span.setAttribute(name, value),
    setAttributes: (attributes) => span.setAttributes(attributes),
    addEvent: (name) => span.addEvent(name),
    recordException: (error) => span.recordException({ name: nameOf(error) }),
    end: () => span.end(),
  };
}

const nameOf = (error: Exception): string => (typeof error === 'object' && error.name) || 'Error';
