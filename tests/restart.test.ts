import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Row } from '@postloop/csv-dialect';
import { upsertSourceMailing } from '@postloop/db';
import { type AppName, temporaryDirectory } from '@postloop/local-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balanceOf } from './support/balance.js';
import { runCli } from './support/cli.js';
import { errorsOf, haltOf, lay, poll, send, untilLies, waiting } from './support/exchange.js';
import { until } from './support/until.js';
import {
  addClient,
  nextName,
  openWorld,
  rowsFor,
  sendingApps,
  type TestClient,
  untilImported,
  untilSent,
  upload,
  type World,
} from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld({ apps: sendingApps });
});
afterAll(() => world[Symbol.asyncDispose]());

const ONCE = { missing: 0, twice: 0, unknown: 0 };
const bad = (client: TestClient): Row => ['nobody', String(client.sources[0]), null, 'Ms', 'No', 'Body'];

/** A client whose import of three good rows and a bad one, in line 4, failed. */
async function failedImport(name: string) {
  const client = await addClient(world, name);
  const file = await upload(world, client, [...rowsFor(client, 3), bad(client)]);
  const { id } = await untilImported(world, client, file);
  await untilLies(world, client, 'failed', file);
  return { client, file, id };
}

const allow = ({ id }: TestClient, badRowShare: number) =>
  world.db.prisma.client.update({ where: { id }, data: { badRowShare } });

/** Waits until a restarted import has failed again, its file filed away. */
const untilFailedAgain = (id: bigint) =>
  until(`import ${id} failed again`, async () => {
    const { rows } = await world.db.pool.query(
      `SELECT id FROM import WHERE id = $1 AND status = 'failed' AND filed AND restarted_at IS NOT NULL`,
      [id],
    );
    return rows[0];
  });

describe('after an error', () => {
  it('nothing more is taken from the directory; the test directory and other clients go on', async () => {
    const { client, file, id } = await failedImport('stops');
    expect(await haltOf(world, client)).toMatchObject({ directory: 'import', importId: id, fileName: file });

    const next = nextName();
    await lay(world, client, next, rowsFor(client, 2));
    const test = nextName();
    await lay(world, client, test, rowsFor(client, 1), 'test');
    await poll(world, client);
    await untilSent(world, client, test); // one poll looks at both
    expect(await waiting(world, client)).toEqual([next]);

    const other = await addClient(world, 'goes-on');
    await untilSent(world, other, await upload(world, other, rowsFor(other, 2)));
    expect(await waiting(world, client)).toEqual([next]);
  });

  it('the directory goes on when the client wants it so', async () => {
    const client = await addClient(world, 'never-stops', [{}], { settings: { onError: { halt: false } } });
    const broken = await upload(
      world,
      client,
      'broken'.split('').map((letter) => [letter]),
    );
    expect(await untilImported(world, client, broken)).toMatchObject({ status: 'failed' });
    await untilSent(world, client, await upload(world, client, rowsFor(client, 2)));
    expect(await haltOf(world, client)).toBeUndefined();
  });
});

describe('an empty restart file', () => {
  it('reads the file again from failed/ when nothing was stored, and the directory goes on', async () => {
    const { client, file, id } = await failedImport('again');
    const next = nextName();
    await lay(
      world,
      client,
      next,
      rowsFor(client, 2).map(([email, ...rest]) => [`next.${email}`, ...rest]),
    );
    await allow(client, 0.5);
    await send(world, client, `${file}.restart`);

    await untilLies(world, client, 'done', file);
    expect(await untilImported(world, client, file)).toMatchObject({ id, queued: 3n, invalid: 1n, faults: null });
    const mailings = [...(await untilSent(world, client, file)), ...(await untilSent(world, client, next))];
    expect(await balanceOf(world, mailings)).toEqual(ONCE);
    await untilLies(world, client, 'done', `${file}.restart`);
    expect(await haltOf(world, client)).toBeUndefined();
    expect(await errorsOf(world, client, file)).toBeUndefined();
  });

  it('builds the mailings again when only the start failed: rows and mailings stay', async () => {
    const client = await addClient(world, 'start', [{ html: '<p>{{ Nobody }}</p>' }]);
    const file = await upload(world, client, rowsFor(client, 4));
    const { id, queued } = await untilImported(world, client, file);
    await untilLies(world, client, 'failed', file);
    expect(await haltOf(world, client)).toMatchObject({ importId: id });
    const { rows: before } = await world.db.pool.query('SELECT id FROM mailing WHERE import_id = $1', [id]);
    await mend(client);
    await send(world, client, `${file}.restart`);

    await untilLies(world, client, 'done', `${file}.restart`);
    const mailings = await untilSent(world, client, file);
    expect(mailings).toEqual(before.map((mailing) => mailing.id));
    expect(await balanceOf(world, mailings)).toEqual(ONCE);
    expect(await untilImported(world, client, file)).toMatchObject({ id, queued, faults: null });
    await untilLies(world, client, 'done', file);
  });

  it('sent again and again sends nothing twice, and says that there was nothing to do', async () => {
    const { client, file } = await failedImport('eager');
    await allow(client, 1);
    await send(world, client, `${file}.restart`);
    await untilLies(world, client, 'done', file);
    const mailings = await untilSent(world, client, file);
    await send(world, client, `${file}.restart`);
    await until('the second one is ignored', async () => {
      const { rows } = await world.db.pool.query(
        `SELECT faults FROM import WHERE client_id = $1 AND file_name = $2 AND status = 'ignored'`,
        [client.id, `${file}.restart`],
      );
      return rows[0]?.faults[0].code === 'order_needless' || undefined;
    });
    expect(await balanceOf(world, mailings)).toEqual(ONCE);
    const { rows } = await world.db.pool.query('SELECT count(*)::int AS mailings FROM mailing WHERE client_id = $1', [
      client.id,
    ]);
    expect(rows).toEqual([{ mailings: 1 }]);
  });

  it('that fails again stops the directory again', async () => {
    const { client, file, id } = await failedImport('fails-again');
    await send(world, client, `${file}.restart`);
    await untilFailedAgain(id);
    await untilLies(world, client, 'failed', file);
    expect(await haltOf(world, client)).toMatchObject({ importId: id });
  });

  async function mend(client: TestClient): Promise<void> {
    const source = await world.db.prisma.sourceMailing.findUniqueOrThrow({ where: { id: client.sources[0] ?? 0n } });
    const { status, campaignId, updatedAt, id, rules, ...content } = source;
    await upsertSourceMailing(world.db, { ...content, body: '<p>Hello {{ First name }}</p>' });
  }
});

describe('a restart file with corrected rows', () => {
  it('puts them in the place of the rejected ones, by line; the others are read from failed/', async () => {
    const { client, file, id } = await failedImport('corrected');
    const corrected: Row = ['4', 'bob@corrected.example', String(client.sources[0]), '7', null, '', 'B'];
    await send(world, client, `${file}.restart`, [corrected]);

    await untilLies(world, client, 'done', file);
    const mailings = await untilSent(world, client, file);
    expect(await untilImported(world, client, file)).toMatchObject({ id, rows: 4n, queued: 4n, invalid: 0n });
    expect(await balanceOf(world, mailings)).toEqual(ONCE);
    const { rows } = await world.db.pool.query(
      'SELECT line, email, wave_id, fields FROM mailing_recipient WHERE mailing_id = $1 ORDER BY line DESC LIMIT 1',
      [mailings[0]],
    );
    const fields = ['bob@corrected.example', String(client.sources[0]), '7', null, '', 'B'];
    expect(rows).toEqual([{ line: 4n, email: 'bob@corrected.example', wave_id: 7n, fields }]);
    await untilLies(world, client, 'done', `${file}.restart`);
  });

  it('may come in parts: what was corrected before stays corrected', async () => {
    const client = await addClient(world, 'in-parts');
    const file = await upload(world, client, [bad(client), bad(client), ...rowsFor(client, 1)]);
    const { id } = await untilImported(world, client, file);
    await untilLies(world, client, 'failed', file);
    const corrected = (line: string): Row => [
      line,
      `p${line}@parts.example`,
      String(client.sources[0]),
      null,
      '',
      '',
      '',
    ];
    await send(world, client, `${file}.restart`, [corrected('1')]);
    await untilFailedAgain(id);
    expect(await errorsOf(world, client, file)).toMatch(/^2;1;bad_value;/m);
    expect(await errorsOf(world, client, file)).not.toMatch(/^1;1;bad_value;/m);

    await send(world, client, `${file}.restart`, [corrected('2')]);
    await untilLies(world, client, 'done', file);
    expect(await balanceOf(world, await untilSent(world, client, file))).toEqual(ONCE);
    const left = await world.db.pool.query('SELECT FROM import_correction');
    expect(left.rowCount).toBe(0);
  });

  it.each([
    ['a column too few', '4;bob@corrected.example;1;;;\n', /^1;6;column_count;/m],
    ['no line', 'bob;bob@corrected.example;1;;;;\n', /^1;1;correction;.*;bob;bob@corrected\.example;/m],
    ['a line twice', '4;a@b.example;1;;;;\n4;a@b.example;1;;;;\n', /^2;1;correction;/m],
  ])('that is faulty (%s) is told like any file, and the directory stays halted', async (why, content, told) => {
    const { client, file, id } = await failedImport(`faulty-${why.replaceAll(' ', '-')}`);
    await send(world, client, `${file}.restart`, content);
    await untilLies(world, client, 'failed', `${file}.restart`);
    expect((await errorsOf(world, client, `${file}.restart`))?.replaceAll('"', '')).toMatch(told);
    expect(await haltOf(world, client)).toMatchObject({ importId: id });
    expect(await untilImported(world, client, file)).toMatchObject({ id, status: 'failed' });
  });

  it('a line that no row begins at is told, and is left out of the next try', async () => {
    const { client, file, id } = await failedImport('misplaced');
    await allow(client, 1);
    await send(world, client, `${file}.restart`, `40;bob@corrected.example;${client.sources[0]};;;;\n`);
    await untilFailedAgain(id);
    expect(await untilImported(world, client, file)).toMatchObject({ faults: [{ code: 'correction', line: 40 }] });
    expect(await haltOf(world, client)).toMatchObject({ importId: id });
    await send(world, client, `${file}.restart`);
    await untilLies(world, client, 'done', file);
    expect(await balanceOf(world, await untilSent(world, client, file))).toEqual(ONCE);
  });
});

describe('orders', () => {
  it('a restart of a file that never came is told, and stops nothing', async () => {
    const client = await addClient(world, 'nothing-came');
    const order = `${nextName()}.restart`;
    await send(world, client, order);
    await untilLies(world, client, 'failed', order);
    expect(await errorsOf(world, client, order)).toContain('order_unknown');
    expect(await haltOf(world, client)).toBeUndefined();
    await untilSent(world, client, await upload(world, client, rowsFor(client, 1)));
  });

  it('a skip gives the file up: it stays failed, and the directory goes on', async () => {
    const { client, file } = await failedImport('given-up');
    const next = nextName();
    await lay(world, client, next, rowsFor(client, 2));
    await send(world, client, `${file}.skip`);
    await untilSent(world, client, next);
    expect(await untilImported(world, client, file)).toMatchObject({ status: 'failed' });
    await untilLies(world, client, 'done', `${file}.skip`);
    await untilLies(world, client, 'failed', file);
  });
});

describe('on the command line', () => {
  const ask = async (...args: string[]) => {
    const { code, json } = await runCli([...args, '--json'], world.house.env);
    return { code, json };
  };

  it('halted tells what stopped, restart and skip let it go on, poll looks now', async () => {
    const { client, file, id } = await failedImport('by-hand');
    expect(await ask('import', 'halted', '--client', 'by-hand')).toMatchObject({
      code: 0,
      json: [{ directory: 'import', importId: String(id), fileName: file }],
    });
    expect(await ask('client', 'show', 'by-hand')).toMatchObject({ json: { halts: [{ importId: String(id) }] } });
    expect(await ask('import', 'show', String(id))).toMatchObject({ json: { halted: true } });

    const next = nextName();
    await lay(world, client, next, rowsFor(client, 1));
    expect(await ask('import', 'skip', String(id))).toMatchObject({ code: 0 });
    await untilSent(world, client, next);
    expect((await ask('import', 'skip', String(id))).code).toBe(1);
    expect(await ask('import', 'halted', '--client', 'by-hand')).toMatchObject({ json: [] });

    const folder = await temporaryDirectory();
    const rows = join(folder.path, 'rows.csv');
    await writeFile(rows, `4;bob@by-hand.example;${client.sources[0]};;;;\n`);
    expect(await ask('import', 'restart', String(id), '--rows', rows)).toMatchObject({ code: 0 });
    await folder[Symbol.asyncDispose]();
    await untilLies(world, client, 'done', file);
    expect(await balanceOf(world, await untilSent(world, client, file))).toEqual(ONCE);
    expect((await ask('import', 'restart', String(id))).code).toBe(1);

    const last = nextName();
    await lay(world, client, last, rowsFor(client, 5));
    expect(await ask('import', 'poll', 'by-hand')).toMatchObject({ json: { polled: true } });
    await untilSent(world, client, last);
  }, 120_000);
});

describe.each<{ app: AppName; killPoint: string }>([
  { app: 'sftp-ingest', killPoint: 'ingest.after-claim' },
  { app: 'sftp-ingest', killPoint: 'ingest.after-rename' },
  { app: 'importer', killPoint: 'importer.after-order' },
  { app: 'importer', killPoint: 'importer.after-copy' },
])('kill -9 of $app at $killPoint while a restart is carried out', ({ app, killPoint }) => {
  it('leaves it to be finished: every row is mailed once', async () => {
    const { client, file } = await failedImport(`killed-${killPoint.replace(/\W/g, '-')}`);
    await world.house.app(app).stop();
    const doomed = await world.house.start(app, { killPoint });
    await send(world, client, `${file}.restart`, [
      ['4', `bob@${client.directory}.example`, String(client.sources[0]), null, null, null, null],
    ]);
    expect(await doomed.exited).toMatchObject({ signal: 'SIGKILL' });
    await world.house.start(app);

    await untilLies(world, client, 'done', file);
    const mailings = await untilSent(world, client, file);
    expect(await untilImported(world, client, file)).toMatchObject({ rows: 4n, queued: 4n });
    expect(await balanceOf(world, mailings)).toEqual(ONCE);
    await untilLies(world, client, 'done', `${file}.restart`);
  });
});
