import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Arrivals, gate } from './testing/arrivals.js';
import { backends, type TestBackend } from './testing/backends.js';
import { LOCK_MS, Rig, recordingLog } from './testing/rig.js';
import { type Handler, startWorker } from './worker.js';

// How a worker ends: asked to, or killed.

const job = { v: 1, importId: 2n ** 60n } as const;
const options = () => ({ concurrency: 1, lockMs: LOCK_MS, log: recordingLog() });

describe.each(backends)('a worker on $title', ({ open, missing }) => {
  let backend: TestBackend;
  beforeAll(async () => {
    if (!missing) backend = await open();
  });
  afterAll(() => backend?.[Symbol.asyncDispose]());
  const test = it.skipIf(missing);

  test('that is killed with -9 loses its job to another one when the lock runs out', async () => {
    await using house = new Rig(await backend.newConnection());
    const script = fileURLToPath(new URL('./testing/stuck-worker.mjs', import.meta.url));
    const child = fork(script, [JSON.stringify(house.connection), String(LOCK_MS)]);
    await house.producer.enqueue('fileImport', job);
    expect(await once(child, 'message')).toEqual([job.importId.toString(), undefined]);
    const died = once(child, 'exit');
    child.kill('SIGKILL');
    await died;

    const ran = house.work('fileImport');
    expect(await ran.next()).toEqual(job);
    await house.idle('fileImport');
    expect(ran.all).toHaveLength(1);
  });

  test('that is alive keeps a job for longer than its lock', async () => {
    await using house = new Rig(await backend.newConnection());
    const { opened, open: release } = gate();
    const ran = new Arrivals<bigint>();
    const handler: Handler<'fileImport'> = async ({ importId }, { signal }) => {
      ran.push(importId);
      signal.addEventListener('abort', release);
      if (importId === job.importId) await opened;
    };
    house.work('fileImport', handler);
    house.work('fileImport', handler);
    await house.producer.enqueue('fileImport', job);
    expect(await ran.next()).toBe(job.importId);

    // The queue's own clock: by then the worker that is free would have taken a job whose lock ran out.
    await house.producer.enqueue('fileImport', { v: 1, importId: 7n }, { delayMs: 3 * LOCK_MS });
    expect(await ran.next()).toBe(7n);
    release();
    await house.idle('fileImport');
    expect(ran.all).toEqual([job.importId, 7n]);
  });

  test('that is disposed aborts the signal, waits for what runs, and takes nothing more', async () => {
    await using house = new Rig(await backend.newConnection());
    const { opened, open: release } = gate();
    const told = new Arrivals<string>();
    const handler = async (_payload: object, { signal }: { signal: AbortSignal }) => {
      told.push('started');
      signal.addEventListener('abort', () => told.push('asked to stop'));
      await opened;
      told.push('ended');
    };
    const worker = startWorker(house.connection, 'fileImport', handler, options());
    await house.producer.enqueue('fileImport', job);
    expect(await told.next()).toBe('started');

    const disposed = worker[Symbol.asyncDispose]().then(() => told.push('disposed'));
    expect(await told.next()).toBe('asked to stop');
    const later = { v: 1, importId: 7n } as const;
    await house.producer.enqueue('fileImport', later);
    expect((await house.producer.depths()).fileImport).toEqual({ waiting: 1, active: 1, delayed: 0 });
    release();
    await disposed;
    expect(told.all).toEqual(['started', 'asked to stop', 'ended', 'disposed']);

    const ran = house.work('fileImport');
    expect(await ran.next()).toEqual(later);
    await house.idle('fileImport');
    expect(ran.all).toEqual([later]);
  });
});
