import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backends, type TestBackend } from './testing/backends.js';
import { Rig } from './testing/rig.js';

// The queue's server goes away and comes back on the same port. Nobody has to be restarted for it.

const job = (importId: bigint) => ({ v: 1, importId }) as const;

describe.each(backends)('an outage of $title', ({ open, missing }) => {
  let backend: TestBackend;
  beforeAll(async () => {
    if (!missing) backend = await open();
  });
  afterAll(() => backend?.[Symbol.asyncDispose]());
  const test = it.skipIf(missing);

  test('enqueue says false while it lasts, without throwing; afterwards jobs are taken and run', async () => {
    await using house = new Rig(await backend.newConnection());
    const ran = house.work('fileImport');
    expect(await house.producer.enqueue('fileImport', job(1n))).toBe(true);
    expect(await ran.next()).toEqual(job(1n));

    await backend.stop();
    expect(await house.producer.enqueue('fileImport', job(2n))).toBe(false);
    expect(house.log.lines.all.join()).toContain('could not enqueue');

    await backend.start();
    await enqueued(house, 3n);
    while ((await ran.next()).importId !== 3n);
  });

  test('who is started during it says false too, and works when it is over', async () => {
    const connection = await backend.newConnection();
    await backend.stop();
    await using house = new Rig(connection, { timeoutMs: 1_000 });
    const ran = house.work('fileImport');
    expect(await house.producer.enqueue('fileImport', job(1n))).toBe(false);
    await expect(house.producer.depths()).rejects.toThrow();

    await backend.start();
    await enqueued(house, 2n);
    while ((await ran.next()).importId !== 2n);
    expect((await house.producer.depths()).mailSend).toEqual({ waiting: 0, active: 0, delayed: 0 });
  });

  test('who is started during it can be stopped during it', async () => {
    const connection = await backend.newConnection();
    await backend.stop();
    const house = new Rig(connection, { timeoutMs: 200 });
    house.work('fileImport');
    expect(await house.producer.enqueue('fileImport', job(1n))).toBe(false);
    await house[Symbol.asyncDispose]();
    await backend.start();
  });
});

/** As the reconciler does: again until it is said. Each try waits for the connection by itself. */
async function enqueued(house: Rig, importId: bigint): Promise<void> {
  while (!(await house.producer.enqueue('fileImport', job(importId))));
}
