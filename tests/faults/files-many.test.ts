import { upsertClient } from '@postloop/db';
import { expect, it } from 'vitest';
import { balanceOf } from '../support/balance.js';
import { lay } from '../support/exchange.js';
import { addClient, nextName, openWorld, rowsFor, sendingApps, untilExported, untilSent } from '../support/world.js';

it('two of every app at once: each file is taken once, each mail sent once, each recipient told once', async () => {
  const apps = [...sendingApps, 'response-exporter'] as const;
  const env = { BATCH_SIZE: '10', SMTP_CONNECTIONS: '2', RECONCILE_AFTER_MS: '0' };
  await using world = await openWorld({ apps, env });
  for (const app of apps) world.keep(world.house.app(app));
  // With a queue of their own (on Redis), and reconcilers that wait for nobody: no job keeps one from what another does.
  await Promise.all(apps.map((app) => world.house.start(app, { env: { QUEUE_PREFIX: 'second' } })));
  world.stack.inbox.behave({ delayMs: 10 });

  const clients = await Promise.all(['many-a', 'many-b'].map((name) => addClient(world, name)));
  const files = await Promise.all(
    clients.flatMap((client) =>
      [0, 1, 2, 3, 4].map(async (i) => {
        const name = nextName();
        const rows = rowsFor(client, 20).map(([email, ...row]) => [`f${i}-${email}`, ...row]);
        await lay(world, client, name, rows);
        return { client, name };
      }),
    ),
  );
  // Both schedulers see both schedules due, every second.
  for (const { directory: name } of clients)
    await upsertClient(
      world.db,
      { name, directory: name, timeZone: 'UTC' },
      { inbox_poll: '* * * * * *', response_export: '* * * * * *' },
    );

  const mailings: bigint[] = [];
  for (const { client, name } of files) {
    const [mailing, ...more] = await untilSent(world, client, name);
    expect(more).toEqual([]);
    if (mailing !== undefined) mailings.push(mailing);
  }
  expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
  const { rows } = await world.db.pool.query<{ name: string }>('SELECT file_name AS name FROM import');
  expect(rows.map(({ name }) => name).sort()).toEqual(files.map(({ name }) => name).sort());

  const told: string[] = [];
  for (const client of clients) {
    // All runs until everybody is told, and two more.
    for (let run = 1, last = Infinity, seen = 0; run <= last; run += 1) {
      const { mailingrecipients } = await untilExported(world, client, run);
      told.push(...mailingrecipients.map(({ userId }) => userId ?? ''));
      seen += mailingrecipients.length;
      if (seen >= 100) last = Math.min(last, run + 2);
    }
  }
  expect(new Set(told).size).toBe(200);
  expect(told).toHaveLength(200);
});
