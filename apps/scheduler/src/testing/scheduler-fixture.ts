import type { QueueKey } from '@postloop/contracts';
import { Registry } from 'prom-client';
import { createMetrics } from '../metrics.js';

export const testMetrics = () => createMetrics(new Registry());

/** Writes down what is enqueued. `works = false`: as if the queue were away. */
export function recordingProducer() {
  const jobs: [QueueKey, object][] = [];
  const producer = {
    jobs,
    works: true,
    async enqueue(key: QueueKey, payload: object) {
      return producer.enqueueAll(key, [payload]);
    },
    async enqueueAll(key: QueueKey, payloads: readonly object[]) {
      if (producer.works) jobs.push(...payloads.map((payload): [QueueKey, object] => [key, payload]));
      return producer.works;
    },
  };
  return producer;
}

/** A clock that stands still until it is set. */
export function stoppedClock(iso: string) {
  let time = new Date(iso);
  return {
    now: () => time,
    set(next: string) {
      time = new Date(next);
    },
  };
}
