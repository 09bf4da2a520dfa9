import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startStack } from './stack.js';
import { temporaryDirectory } from './temporary-directory.js';

test('a stack starts whole, tells the apps where everything is, and starts again on the same directory', async () => {
  await using dir = await temporaryDirectory();
  const options = { dir: dir.path, queue: 'postgres' } as const;
  await using first = await startStack(options);
  expect(Object.keys(first.env).sort()).toEqual([
    'DATABASE_URL',
    'QUEUE_BACKEND',
    'SFTP_HOST',
    'SFTP_HOST_KEY',
    'SFTP_PASSWORD',
    'SFTP_PORT',
    'SFTP_USERNAME',
    'SMTP_URL',
  ]);
  expect(first.env.SMTP_URL).toBe(first.inbox.url);
  expect(await databaseOf(first.env.DATABASE_URL)).toBe('postloop');
  await writeFile(join(first.sftpRoot, 'hello.csv'), 'x');

  // A second stack in the same PostgreSQL leaves it running when it stops.
  const guest = await startStack({
    dir: join(dir.path, 'guest'),
    databaseName: 'guest',
    queue: 'postgres',
    postgres: first.postgres,
  });
  expect(await databaseOf(guest.env.DATABASE_URL)).toBe('guest');
  await guest.stop();
  expect(await databaseOf(first.env.DATABASE_URL)).toBe('postloop');

  await first.stop();
  await using second = await startStack(options);
  expect(second.env.SFTP_HOST_KEY).toBe(first.env.SFTP_HOST_KEY);
  expect(second.env.SFTP_PASSWORD).toBe(first.env.SFTP_PASSWORD);
  expect(await databaseOf(second.env.DATABASE_URL)).toBe('postloop');
});

async function databaseOf(url: string | undefined): Promise<unknown> {
  const client = new pg.Client({ connectionString: url ?? '' });
  await client.connect();
  const { rows } = await client.query('SELECT current_database() AS name');
  await client.end();
  return rows[0]?.name;
}
