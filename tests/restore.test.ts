import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '@postloop/local-stack';
import { expect, it } from 'vitest';
import { acceptedAddresses, acceptedTwice } from './support/balance.js';
import { runCli } from './support/cli.js';
import { until } from './support/until.js';
import { addClient, openWorld, rowsFor, sendingApps, untilImported, untilSent, upload } from './support/world.js';

const NOTES = readFileSync(fileURLToPath(new URL('../docs/OPERATIONS.md', import.meta.url)), 'utf8');

/** The statements that the notes on restoring give, as they stand there. */
const statements = [...NOTES.matchAll(/^psql "\$DATABASE_URL" -c "(.+)"/gm)].map(([, statement = '']) => statement);

/** With owners and modes, as the server insists on them. */
const copy = (from: string, to: string) => execFileSync('cp', ['-a', from, to]);

it('restored as the notes say, the database sends nothing by itself, and IDs of the lost minutes are not given again', async () => {
  await using world = await openWorld({ apps: sendingApps, env: { SMTP_CONNECTIONS: '1', BATCH_SIZE: '20' } });
  const { stack, house, db } = world;
  const dir = join(dirname(dirname(stack.sftpRoot)), 'postgres');
  const { port } = stack.postgres;
  const client = await addClient(world, 'restored');
  await house.app('sender-workers').stop();
  const file = await upload(world, client, rowsFor(client, 40));
  await until(
    'the mailing is ready',
    async () => (await untilImported(world, client, file)).status === 'started' || undefined,
  );
  await stack.postgres.stop();
  copy(join(dir, 'data'), `${dir}-backup`);
  {
    await using _running = await startPostgres({ dir, port });
    await house.start('sender-workers');
    await untilSent(world, client, file);
    await house.stop();
  }
  const sent = new Set(world.stack.inbox.acceptedMessageIds().keys());
  rmSync(join(dir, 'data'), { recursive: true });
  copy(`${dir}-backup`, join(dir, 'data'));

  await using _restored = await startPostgres({ dir, port });
  expect(statements).toHaveLength(2);
  for (const statement of statements) await db.pool.query(statement);
  for (const name of sendingApps) await house.start(name);
  const next = await upload(
    world,
    client,
    rowsFor(client, 10).map(([email, ...row]) => [`next-${email}`, ...row]),
  );
  await untilSent(world, client, next);
  expect(stack.inbox.counts.accepted).toBe(50);
  expect(acceptedTwice(stack.inbox)).toBe(0);
  const { rows } = await db.pool.query<{ id: bigint }>(`SELECT id FROM mailing WHERE status = 'paused'`);
  expect(rows).toHaveLength(1);

  // Resumed without a look at the mail server's log, it sends again: said so, and under the same Message-IDs.
  const { code } = await runCli(['mailing', 'resume', String(rows[0]?.id)], house.env);
  expect(code).toBe(0);
  await untilSent(world, client, file);
  const twice = [...stack.inbox.acceptedMessageIds()].filter(([, times]) => times > 1).map(([id]) => id);
  expect(new Set(twice)).toEqual(sent);
  expect(acceptedAddresses(stack.inbox).size).toBe(50);
  // Before their database, which is not the world's own any more.
  await house.stop();
}, 240_000);
