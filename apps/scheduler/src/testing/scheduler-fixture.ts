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
    /** Send jobs that wait in the queue. */
    waiting: 0,
    async depths() {
      const depth = (waiting: number) => ({ waiting, active: 0, delayed: 0 });
      const none = depth(0);
      return {
        inboxPoll: none,
        fileImport: none,
        mailingBuild: none,
        responseExport: none,
        mailSend: depth(producer.waiting),
      };
    },
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
