import { join } from 'node:path';
import { clientDirectories, inboxPaths } from '@postloop/contracts';
import { formatRow, type Row } from '@postloop/csv-dialect';
import { selectImport } from '@postloop/db';
import { type SftpServer, startSftpServer, temporaryDirectory } from '@postloop/local-stack';
import { connectSftp } from '@postloop/sftp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileAway } from '../apps/importer/dist/file-away.js';
import { balanceOf } from './support/balance.js';
import { errorsOf, haltOf, lay, poll, untilLies, waiting } from './support/exchange.js';
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

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let second: SftpServer;
let world: World;
beforeAll(async () => {
  directory = await temporaryDirectory();
  const user = { username: 'shop', password: 'pass word', root: join(directory.path, 'root') };
  second = await startSftpServer({ hostKeyFile: join(directory.path, 'key'), users: [user] });
  const url = `sftp://shop:pass%20word@127.0.0.1:${second.port}`;
  const accounts = { second: { url, hostKey: second.hostPublicKey } };
  world = await openWorld({ apps: sendingApps, env: { SFTP_ACCOUNTS: JSON.stringify(accounts), STILLNESS_MS: '300' } });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

const ONCE = { missing: 0, twice: 0, unknown: 0 };

describe('ten clients with ten files each', () => {
  it("each client's first file starts before any client's second, and nothing is mixed", async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, (_, i) => addClient(world, `fair-${i}`)));
    const names = Array.from({ length: 10 }, nextName);
    for (const client of clients)
      for (const [i, name] of names.entries())
        await lay(world, client, name, [
          [`f${i}@${client.directory}.example`, String(client.sources[0]), null, '', '', ''],
        ]);
    await Promise.all(clients.map((client) => poll(world, client)));
    const mailings = await Promise.all(
      clients.map(async (client) => Promise.all(names.map(async (name) => untilSent(world, client, name)))),
    );

    expect(await startedAt(1)).toBeLessThan(await startedAt(2));
    expect(await balanceOf(world, mailings.flat(2))).toEqual(ONCE);
    const { rows } = await world.db.pool.query(
      `SELECT c.directory, count(*)::int AS recipients FROM mailing m JOIN client c ON c.id = m.client_id
         JOIN mailing_recipient r ON r.mailing_id = m.id
        WHERE r.email LIKE '%@' || c.directory || '.example' AND c.directory LIKE 'fair-%' GROUP BY 1 ORDER BY 1`,
    );
    expect(rows).toEqual(clients.map((client) => ({ directory: client.directory, recipients: 10 })));
  });

  /** When the last client's first file was claimed, or the first client's second: milliseconds. */
  async function startedAt(place: 1 | 2): Promise<number> {
    const { rows } = await world.db.pool.query(
      `SELECT extract(epoch FROM CASE $1::int WHEN 1 THEN max(created_at) ELSE min(created_at) END)::float8 AS at
         FROM (SELECT i.created_at, row_number() OVER (PARTITION BY c.id ORDER BY i.created_at) AS place
                 FROM import i JOIN client c ON c.id = i.client_id WHERE c.directory LIKE 'fair-%') claims
        WHERE place = $1`,
      [place],
    );
    return rows[0].at;
  }
});

describe('a client with an SFTP account of its own', () => {
  it('has its files there, and only there', async () => {
    const client = await addClient(world, 'elsewhere', [{}], { sftpAccount: 'second' });
    await using sftp = await connectSftp({
      host: '127.0.0.1',
      port: second.port,
      username: 'shop',
      password: 'pass word',
      hostKey: second.hostKeyFingerprint,
    });
    await sftp.makeDirectories(clientDirectories(client.directory));
    const { inbox, done } = inboxPaths(client.directory, 'import');
    const name = nextName();
    await lay(world, client, name, rowsFor(client, 9)); // on the server for all: nobody looks there
    await sftp.putAtomic(`${inbox}/${name}`, Buffer.from(rowsFor(client, 2).map(formatRow).join('')));
    await poll(world, client);

    expect(await untilImported(world, client, name)).toMatchObject({ rows: 2n });
    expect(await balanceOf(world, await untilSent(world, client, name))).toEqual(ONCE);
    expect(await sftp.stat(`${done}/${name}`)).not.toBeNull();
    expect(await waiting(world, client)).toEqual([name]);
  });
});

describe('a file that came before', () => {
  const settings = (sameContent: 'reject' | 'allow') => ({
    onError: { halt: false },
    files: { sameContent: { import: sameContent, test: sameContent } },
  });
  const other = (client: TestClient): Row[] => rowsFor(client, 3).slice(1);

  it('under the same name with the same content is ignored, whatever the client chose', async () => {
    const client = await addClient(world, 'same-same', [{}], { settings: settings('allow') });
    const { name, again } = await sendTwice(client, rowsFor(client, 2), rowsFor(client, 2));
    expect(again).toMatchObject({ status: 'ignored' });
    await untilLies(world, client, 'done', name);
    expect(await errorsOf(world, client, name)).toBeUndefined();
  });

  it('under the same name with other content is an error, whatever the client chose', async () => {
    const client = await addClient(world, 'same-other', [{}], { settings: settings('allow') });
    const { name, again } = await sendTwice(client, rowsFor(client, 2), other(client));
    expect(again).toMatchObject({ status: 'failed', faults: [{ code: 'file_name_taken' }] });
    await untilLies(world, client, 'failed', name);
    await untilLies(world, client, 'done', name); // the one before
    // A crash before the note that it is filed: filing is repeated, and the file before stays where it is.
    const row = await selectImport(world.db.pool, again.id);
    if (row) await fileAway(world, row);
    expect(row?.status).toBe('failed');
    await untilLies(world, client, 'done', name);
  });

  it.each([
    ['import', 'reject', 'failed'],
    ['import', 'allow', 'started'],
    ['test', 'reject', 'failed'],
    ['test', 'allow', 'started'],
  ] as const)(
    'under a new name with the same content, in %s/ of a client that chose %s: %s',
    async (where, choice, status) => {
      const client = await addClient(world, `new-${where}-${choice}`, [{}], { settings: settings(choice) });
      const [first, renamed] = [nextName(), nextName()];
      for (const name of [first, renamed]) {
        await lay(world, client, name, rowsFor(client, 2), where);
        await poll(world, client);
        await untilLies(world, client, name === first || status === 'started' ? 'done' : 'failed', name, where);
      }
      expect(await untilImported(world, client, renamed)).toMatchObject({ status });
    },
  );

  it('in import/ may come to test/ once more', async () => {
    const client = await addClient(world, 'both');
    await untilSent(world, client, await upload(world, client, rowsFor(client, 2)));
    const test = nextName();
    await lay(world, client, test, rowsFor(client, 2), 'test');
    await poll(world, client);
    await untilSent(world, client, test);
  });

  it('new content under a new name is imported', async () => {
    const client = await addClient(world, 'new-new');
    await untilSent(world, client, await upload(world, client, rowsFor(client, 2)));
    await untilSent(world, client, await upload(world, client, other(client)));
  });

  async function sendTwice(client: TestClient, rows: Row[], again: Row[]) {
    const name = await upload(world, client, rows);
    const { id } = await untilImported(world, client, name);
    await untilLies(world, client, 'done', name);
    await untilSent(world, client, name);
    await upload(world, client, again, name);
    const ended = await until(`${name} has come again`, async () => {
      const { rows: found } = await world.db.pool.query(
        'SELECT id, status, faults FROM import WHERE client_id = $1 AND file_name = $2 AND id <> $3 AND filed',
        [client.id, name, id],
      );
      return found[0];
    });
    return { name, again: ended };
  }
});

it('a client without error files gets none, and its directory halts all the same', async () => {
  const client = await addClient(world, 'no-error-files', [{}], { settings: { onError: { errorFile: false } } });
  const name = await upload(world, client, Buffer.from('broken\n'));
  await untilLies(world, client, 'failed', name);
  expect(await errorsOf(world, client, name)).toBeUndefined();
  expect(await errorsOf(world, client, name, 'json')).toBeUndefined();
  expect(await haltOf(world, client)).toMatchObject({ fileName: name });
});

it('product data come in by products/, and a faulty file of them stops that directory alone', async () => {
  const client = await addClient(world, 'products');
  const good = nextName().replace('subscribers', 'products');
  await lay(world, client, good, 'id;name\n1;Cup\n2;Pot\n', 'products');
  await poll(world, client);
  await untilLies(world, client, 'done', good, 'products');
  const bad = nextName().replace('subscribers', 'products');
  await lay(world, client, bad, 'name;id\nCup;1\n', 'products');
  await poll(world, client);
  await untilLies(world, client, 'failed', bad, 'products');
  expect(await haltOf(world, client)).toMatchObject({ directory: 'products', fileName: bad });
  expect(await errorsOf(world, client, bad)).toMatch(/^1;1;header;/m);
  await untilSent(world, client, await upload(world, client, rowsFor(client, 1)));
});
