import { type QueueKey, queues } from '@postloop/contracts';
import type { Producer } from '@postloop/queue';
import type { Metrics } from './metrics.js';

/** Measured in a loop and not when scraped: a queue that does not answer must not hold up the other metrics. */
export async function watchQueues({
  producer,
  metrics,
}: {
  producer: Pick<Producer, 'depths'>;
  metrics: Metrics;
}): Promise<void> {
  const depths = await producer.depths();
  for (const [key, states] of Object.entries(depths) as [QueueKey, Record<string, number>][]) {
    for (const [state, jobs] of Object.entries(states))
      metrics.queueDepth.set({ queue: queues[key].name, state }, jobs);
  }
}
