import { join } from 'node:path';
import { exportPath } from '@postloop/contracts';
import { selectExports } from '@postloop/db';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answersLost, balanceOf } from '../support/balance.js';
import { mailTo } from '../support/mail.js';
import { postgresAgain, untilLogged } from '../support/servers.js';
import { mountSmallDisk, type SmallDisk, whyNoSmallDisk } from '../support/tmpfs.js';
import { until } from '../support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  runExport,
  sendingApps,
  untilExported,
  untilSent,
  upload,
  type World,
} from '../support/world.js';

const why = whyNoSmallDisk();
const CONNECTIONS = 2;

describe.skipIf(why)(`a full disk${why ? ` (SKIPPED: ${why})` : ''}`, () => {
  let world: World;
  const disks: Record<'spool' | 'postgres', SmallDisk | undefined> = { spool: undefined, postgres: undefined };
  beforeAll(async () => {
    world = await openWorld({
      apps: [...sendingApps, 'tracking-gateway', 'response-exporter'],
      env: { SMTP_CONNECTIONS: String(CONNECTIONS), BATCH_SIZE: '50' },
      prepare: async (dir) => {
        disks.spool = await mountSmallDisk(join(dir, 'spool'), 4);
        disks.postgres = await mountSmallDisk(join(dir, 'postgres'), 300);
        return { [Symbol.asyncDispose]: unmountAll };
      },
    });
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  async function unmountAll(): Promise<void> {
    for (const disk of Object.values(disks)) await disk?.[Symbol.asyncDispose]();
  }

  it('under the spool: an open is not answered rather than lost, a click is led on; with room again all is recorded', async () => {
    const client = await addClient(world, 'spool-full');
    await untilSent(world, client, await upload(world, client, rowsFor(client, 2)));
    const [first, second] = await Promise.all([0, 1].map((i) => mailTo(world.stack.inbox, `p${i}@spool-full.example`)));

    await disks.spool?.fill();
    expect((await fetch(first?.pixel ?? '')).status).toBe(503);
    expect((await fetch(first?.clicks[0] ?? '', { redirect: 'manual' })).status).toBe(302);
    expect((await fetch(first?.unsubscribe ?? '', { method: 'POST', body: 'List-Unsubscribe=One-Click' })).status).toBe(
      503,
    );
    await disks.spool?.free();
    expect((await fetch(first?.pixel ?? '')).status).toBe(200);
    expect((await fetch(second?.pixel ?? '')).status).toBe(200);

    await until('the opens are recorded', async () => {
      const { rows } = await world.db.pool.query('SELECT 1 FROM event WHERE client_id = $1', [client.id]);
      return rows.length >= 2 || undefined;
    });
    const { opens } = await runExport(world, client);
    expect(opens.map(({ userId }) => userId).sort()).toEqual(['p0@spool-full.example', 'p1@spool-full.example']);
  });

  it('under the export directory: the run waits for room and is finished then, with the same bounds and names', async () => {
    const client = await addClient(world, 'export-full');
    await untilSent(world, client, await upload(world, client, rowsFor(client, 100)));
    const disk = world.keep(await mountSmallDisk(join(world.stack.sftpRoot, exportPath(client.directory)), 1));
    await disk.fill();
    await world.producer.enqueue('responseExport', { v: 1, clientId: client.id, resume: false });
    await untilLogged(world, 'response-exporter', /job failed/);
    const [planned] = await selectExports(world.db.pool, client.id);
    expect(planned?.status).toBe('planned');
    await disk.free();

    const files = await untilExported(world, client, 1);
    expect(files.mailingrecipients).toHaveLength(100);
    const runs = await selectExports(world.db.pool, client.id);
    expect(runs.map(({ id, toTicket }) => ({ id, toTicket }))).toEqual([
      { id: planned?.id, toTicket: planned?.toTicket },
    ]);
  });

  it('under PostgreSQL: nothing is taken that cannot be recorded; with room again the mailing ends', async () => {
    const client = await addClient(world, 'database-full');
    world.stack.inbox.behave({ delayMs: 5 });
    const sent = world.stack.inbox.counts.accepted;
    const file = await upload(world, client, rowsFor(client, 300));
    await world.stack.inbox.waitForAccepted(sent + 60);
    await disks.postgres?.fill();
    await useUpWal(world);
    await untilLogged(world, 'sender-workers', /No space left|ECONNREFUSED|terminat|recovery/);
    await disks.postgres?.free();
    // It may have stopped itself, for what it cannot log it must not do; then whoever runs it starts it.
    if (await isGone(world)) await postgresAgain(world);

    const mailings = await untilSent(world, client, file);
    const balance = await balanceOf(world, mailings);
    expect(balance).toMatchObject({ missing: 0, twice: 0 });
    expect(balance.unknown).toBeLessThanOrEqual(CONNECTIONS * 2);
    expect(await answersLost(world, mailings)).toBe(0);
  });
});

/** Segments of the log that are there already still take something: writes until one has to be made. */
async function useUpWal({ db }: World): Promise<void> {
  await until('PostgreSQL finds no room', () =>
    db.pool.query(`SELECT pg_logical_emit_message(true, 'fault', 'x'), pg_switch_wal()`).then(
      () => undefined,
      () => true,
    ),
  );
}

/** Did PostgreSQL end? It restarts by itself when only one of its processes had to stop. */
function isGone({ stack, db }: World): Promise<boolean> {
  const gone = stack.postgres.exited.then(() => true);
  const back = until('PostgreSQL is back', () =>
    db.ping().then(
      () => false,
      () => undefined,
    ),
  );
  return Promise.race([gone, back]);
}
