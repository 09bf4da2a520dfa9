import { type QueueKey, queues } from '@postloop/contracts';
import type { Command } from 'commander';
import { withConnections } from '../connections.js';
import { table } from '../support/format.js';
import { type Context, group, leaf, run } from '../support/leaf.js';

export function addQueueCommands(program: Command): void {
  const queue = group(program, 'queue', 'jobs that wait or run');
  leaf(queue, 'status', 'jobs per queue', { connects: true }).action(run(status));
}

async function status({ out, settings }: Context<object>) {
  return withConnections(settings(), ['producer'], async ({ producer }) => {
    const depths = await producer.depths();
    const rows = (Object.keys(depths) as QueueKey[]).map((key) => ({ queue: queues[key].name, ...depths[key] }));
    out.result(
      rows,
      table(
        ['queue', 'waiting', 'active', 'delayed'],
        rows.map(({ queue, waiting, active, delayed }) => [queue, waiting, active, delayed]),
      ),
    );
    return 0;
  });
}
