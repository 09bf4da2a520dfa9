import { type Payload, type QueueKey, queues } from '@postloop/contracts';
import { selectClients, selectForgottenJobs } from '@postloop/db';
import type { Producer } from '@postloop/queue';
import type { Command } from 'commander';
import { withConnections } from '../connections.js';
import { table } from '../support/format.js';
import { type Context, group, leaf, run } from '../support/leaf.js';
import { Problem } from '../support/problem.js';

export function addQueueCommands(program: Command): void {
  const queue = group(program, 'queue', 'jobs that wait or run');
  leaf(queue, 'status', 'jobs per queue', { connects: true }).action(run(status));
  leaf(queue, 'rebuild', 'enqueue now, from PostgreSQL, whatever the queue may have lost', {
    connects: true,
    writes: true,
  }).action(run(rebuild));
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

/** What the reconciler does when something stood still for a while, at once and for all: jobs that are there are not doubled. */
async function rebuild({ out, dryRun, settings }: Context<object>) {
  return withConnections(settings(), ['db', 'producer'], async ({ db, producer }) => {
    const jobs = await selectForgottenJobs(db.pool, 0, true);
    const clients = await selectClients(db.pool);
    jobs.inboxPoll = clients.map(({ id }) => ({ v: 1, clientId: id }));
    const rows: { queue: string; jobs: number }[] = [];
    for (const key of Object.keys(jobs) as QueueKey[]) rows.push(await enqueue(producer, key, jobs[key] ?? [], dryRun));
    out.result(
      rows,
      table(
        ['queue', dryRun ? 'would enqueue' : 'enqueued'],
        rows.map((row) => [row.queue, row.jobs]),
      ),
    );
    return 0;
  });
}

async function enqueue<K extends QueueKey>(producer: Producer, key: K, payloads: Payload<K>[], dryRun: boolean) {
  if (!dryRun && payloads.length > 0 && !(await producer.enqueueAll(key, payloads)))
    throw new Problem(`the queue ${queues[key].name} did not take its jobs`, 'Look at the queue: `postloop doctor`.');
  return { queue: queues[key].name, jobs: payloads.length };
}
