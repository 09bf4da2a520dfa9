import { inboxPaths } from '@postloop/contracts';
import { connectSftp, SftpAlreadyExists, SftpConnectionLost, SftpNotFound, type SftpSession } from '@postloop/sftp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ForeignNames } from '../apps/sftp-ingest/dist/foreign-names.js';
import { pollClient } from '../apps/sftp-ingest/dist/poll.js';
import { createContext } from '../packages/service-kit/dist/index.js';
import { balanceOf } from './support/balance.js';
import { lay, untilLies, waiting } from './support/exchange.js';
import {
  addClient,
  nextName,
  openWorld,
  rowsFor,
  sendingApps,
  sftpOf,
  type TestClient,
  untilImported,
  untilSent,
  type World,
} from './support/world.js';

// Polls that are made here, one by one, so that their sessions can misbehave and their order is known.

let world: World;
beforeAll(async () => {
  world = await openWorld({ apps: sendingApps.filter((app) => app !== 'sftp-ingest') });
});
afterAll(() => world[Symbol.asyncDispose]());

const connect = () => connectSftp(sftpOf(world.house.env));
const { log } = createContext('test', 'fatal');

interface PollOptions {
  connect?: () => Promise<SftpSession>;
  told?: string[];
  foreign?: ForeignNames;
}

function poll(client: TestClient, { told = [], ...options }: PollOptions = {}): Promise<void> {
  const info = (fields: { path?: string }) => told.push(fields.path ?? '');
  const context = { db: world.db, producer: world.producer, stillnessMs: 0, foreign: new ForeignNames(), connect };
  return pollClient({ ...context, ...options, log: Object.assign(Object.create(log), { info }) }, client.id);
}

/** A session whose rename is another one. */
async function withRename(rename: (real: SftpSession['rename']) => SftpSession['rename']): Promise<SftpSession> {
  const session = await connect();
  session.rename = rename(session.rename.bind(session));
  return session;
}

async function sentOnce(client: TestClient, name: string): Promise<void> {
  const mailings = await untilSent(world, client, name);
  expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
}

describe('the rename of a file that is taken', () => {
  it('was done, but its answer was lost: the next poll goes on with the file', async () => {
    const client = await addClient(world, 'answer-lost');
    const name = nextName();
    await lay(world, client, name, rowsFor(client, 2));
    const cut = () =>
      withRename((rename) => async (from, to) => {
        await rename(from, to);
        throw new SftpConnectionLost('cut');
      });
    await expect(poll(client, { connect: cut })).rejects.toThrow('cut');
    await poll(client);
    await sentOnce(client, name);
  });

  it.each([SftpNotFound, SftpAlreadyExists])(
    'was done by another poller a moment before (%o): the claim stays',
    async (Answer) => {
      const client = await addClient(world, `overtaken-${Answer.name}`);
      const name = nextName();
      await lay(world, client, name, rowsFor(client, 2));
      const overtaken = () =>
        withRename((rename) => async (from, to) => {
          await rename(from, to); // the other one's
          throw new Answer('too late');
        });
      await poll(client, { connect: overtaken });
      await sentOnce(client, name);
    },
  );

  it('finds nothing, for the customer took the file back: as if it had never been there', async () => {
    const client = await addClient(world, 'taken-back');
    const name = nextName();
    await lay(world, client, name, rowsFor(client, 2));
    const gone = () =>
      withRename((rename) => async (from, to) => {
        await world.sftp.remove(from);
        await rename(from, to);
      });
    await poll(client, { connect: gone });
    await lay(world, client, name, rowsFor(client, 3));
    await poll(client);
    await sentOnce(client, name);
    expect(await untilImported(world, client, name)).toMatchObject({ rows: 3n });
  });
});

it('of ten pollers one takes the file', async () => {
  const client = await addClient(world, 'ten-pollers');
  const names = [nextName(), nextName(), nextName()];
  for (const [i, name] of names.entries()) await lay(world, client, name, rowsFor(client, i + 1));
  for (const name of names) {
    await Promise.all(Array.from({ length: 10 }, () => poll(client)));
    await untilLies(world, client, 'done', name);
  }
  const { rows } = await world.db.pool.query(
    'SELECT file_name AS name FROM import WHERE client_id = $1 ORDER BY created_at',
    [client.id],
  );
  expect(rows.map(({ name }) => name)).toEqual(names); // by name, each once
});

describe('names', () => {
  it('in transit and foreign ones are left alone, and told once', async () => {
    const client = await addClient(world, 'foreign');
    const good = nextName();
    const others = [`${nextName()}.tmp`, `${nextName()}.part`, `${nextName()}.filepart`, `.${nextName()}`, 'list.csv'];
    for (const name of others) await lay(world, client, name, 'x');
    const told: string[] = [];
    const foreign = new ForeignNames();
    await poll(client, { told, foreign });
    await lay(world, client, good, rowsFor(client, 1));
    await poll(client, { told, foreign });

    await sentOnce(client, good);
    expect((await waiting(world, client)).toSorted()).toEqual(others.toSorted());
    const { inbox } = inboxPaths(client.directory, 'import');
    expect(told.filter((path) => path !== '').toSorted()).toEqual(others.map((name) => `${inbox}/${name}`).toSorted());
  });

  it('a client has a pattern of its own', async () => {
    const settings = { files: { name: 'crm-{timestamp}.txt' } };
    const client = await addClient(world, 'pattern', [{}], { settings });
    await lay(world, client, 'crm-20261121093000.txt', rowsFor(client, 1));
    await lay(world, client, 'crm-20261131093000.txt', rowsFor(client, 2));
    await lay(world, client, '20261121093000_subscribers.csv', rowsFor(client, 3));
    await poll(client);
    await sentOnce(client, 'crm-20261121093000.txt');
    await poll(client);
    expect(await waiting(world, client)).toHaveLength(2);
  });
});

it('a client whose import module is off is not polled', async () => {
  const client = await addClient(world, 'off', [{}], { settings: { modules: { import: false } } });
  const name = nextName();
  await lay(world, client, name, rowsFor(client, 1));
  const asked: string[] = [];
  await poll(client, {
    connect: () => {
      asked.push('session');
      return connect();
    },
  });
  expect(asked).toEqual([]);
  expect(await waiting(world, client)).toEqual([name]);
});

it('a file that grows is not taken', async () => {
  const client = await addClient(world, 'grows');
  const name = nextName();
  await lay(world, client, name, 'a@b.ex');
  const grow = async () => {
    const session = await connect();
    const list = session.list.bind(session);
    session.list = async (directory) => {
      const files = await list(directory);
      if (directory === inboxPaths(client.directory, 'import').inbox)
        await world.sftp.putAtomic(`${directory}/${name}`, Buffer.alloc((files[0]?.size ?? 0) + 10, 'x'), {
          replace: true,
        });
      return files;
    };
    return session;
  };
  await poll(client, { connect: grow });
  expect(await waiting(world, client)).toEqual([name]);
});
