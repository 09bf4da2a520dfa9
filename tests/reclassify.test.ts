import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from './support/cli.js';
import { mailTo } from './support/mail.js';
import { until } from './support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  runExport,
  untilExported,
  untilSent,
  upload,
  type World,
} from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

it('stored events are judged anew; what was exported stays as it is and is not exported again', async () => {
  const client = await addClient(world, 'anew');
  await untilSent(world, client, await upload(world, client, rowsFor(client, 2)));
  for (const i of [0, 1]) {
    const { pixel } = await mailTo(world.stack.inbox, `p${i}@anew.example`);
    await fetch(pixel, { headers: { 'user-agent': FIREFOX } });
  }
  await until('both opens are recorded', async () => {
    const { rows } = await world.db.pool.query('SELECT 1 FROM event WHERE client_id = $1', [client.id]);
    return rows.length === 2 || undefined;
  });
  // As the rules of another day had it.
  await world.db.pool.query(
    `UPDATE event SET browser = 'Netscape 4', verdict = 'unknown', verdict_rule = 'none' WHERE client_id = $1`,
    [client.id],
  );
  const exported = await runExport(world, client);
  expect(exported.opens.map((open) => open['open.browser'])).toEqual(['Netscape 4', 'Netscape 4']);

  const reclassify = async (...more: string[]) =>
    (await runCli(['event', 'reclassify', '--client', 'anew', ...more, '--json'], world.house.env)).json;
  expect(await reclassify('--since', '2999-01-01')).toMatchObject({ seen: 0 });
  expect(await reclassify('--dry-run')).toMatchObject({ seen: 2, changed: 2 });
  expect(await reclassify()).toEqual({
    dryRun: false,
    seen: 2,
    changed: 2,
    changes: [
      { field: 'verdict', from: 'unknown (none)', to: 'human (browser)', events: 2 },
      { field: 'browser', from: 'Netscape 4', to: 'Firefox 140.0', events: 2 },
    ],
  });
  expect(await reclassify()).toMatchObject({ seen: 2, changed: 0 });

  expect((await runExport(world, client)).opens).toEqual([]);
  expect(await untilExported(world, client, 1)).toEqual(exported);
  const wrong = await runCli(['event', 'reclassify', '--since', '2026-02-30', '--json'], world.house.env);
  expect(wrong).toMatchObject({ code: 2, json: { error: { message: expect.stringContaining('2026-02-30') } } });
});
