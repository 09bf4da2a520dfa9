import type { AppName } from '@postloop/local-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balanceOf } from '../support/balance.js';
import {
  addClient,
  openWorld,
  rowsFor,
  runExport,
  untilExported,
  untilSent,
  upload,
  type World,
} from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

describe.each<{ app: AppName; killPoint: string }>([
  { app: 'importer', killPoint: 'importer.after-copy' },
  { app: 'mailing-factory', killPoint: 'factory.after-copy' },
])('$app killed at $killPoint', ({ app, killPoint }) => {
  it('takes the file up again: every row is mailed once', async () => {
    const client = await addClient(world, app);
    await world.house.app(app).stop();
    const doomed = await world.house.start(app, { killPoint });

    const file = await upload(world, client, rowsFor(client, 120));
    expect(await doomed.exited).toMatchObject({ signal: 'SIGKILL' });
    await world.house.start(app);
    const mailings = await untilSent(world, client, file);

    expect(mailings).toHaveLength(1);
    expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
    const strays = await world.db.pool.query(
      'SELECT FROM mailing_recipient WHERE mailing_id <> ALL (SELECT id FROM mailing)',
    );
    expect(strays.rowCount).toBe(0);
  });
});

describe.each(['exporter.before-rename', 'exporter.between-renames'])('response-exporter killed at %s', (killPoint) => {
  it('finishes the same run: all seven files, nothing in two runs', async () => {
    const client = await addClient(world, killPoint.replace(/\W/g, '-'));
    await untilSent(world, client, await upload(world, client, rowsFor(client, 30)));
    await world.house.app('response-exporter').stop();
    const doomed = await world.house.start('response-exporter', { killPoint });

    await world.producer.enqueue('responseExport', { v: 1, clientId: client.id, resume: false });
    expect(await doomed.exited).toMatchObject({ signal: 'SIGKILL' });
    await world.house.start('response-exporter');
    const first = await untilExported(world, client, 1);
    const second = await runExport(world, client);

    expect(Object.keys(first)).toHaveLength(7);
    expect(first.mailingrecipients).toHaveLength(30);
    expect(first.mailings).toHaveLength(1);
    expect(second.mailingrecipients).toEqual([]);
    expect(second.mailings).toEqual([]);
  });
});
