import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportPath, inboxPaths, logsPath } from '@postloop/contracts';
import type { Row } from '@postloop/csv-dialect';
import { selectExports } from '@postloop/db';
import { deliveryStatus, smtpSend } from '@postloop/local-stack';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acceptedAddresses } from './support/balance.js';
import { runCli } from './support/cli.js';
import { mailTo } from './support/mail.js';
import { until } from './support/until.js';
import {
  addClient,
  openWorld,
  runExport,
  type TestClient,
  untilImported,
  untilSent,
  upload,
  type World,
} from './support/world.js';

// Words that stand nowhere else, as a customer's file has them.
const VICTIM = 'Zita.Vanish@gone.example';
const NAME = 'Zuckerkandl';
const AGENT = 'VanishBrowser/7.0 (X11)';

let world: World;
beforeAll(async () => {
  world = await openWorld({ env: { SMTP_CONNECTIONS: '1' } });
});
afterAll(() => world[Symbol.asyncDispose]());

const rowOf = (client: TestClient, email: string, last: string): Row => [
  email,
  String(client.sources[0]),
  '7',
  'Ms',
  'Zita',
  last,
];

/** Every row of every table as text, bytes too: which tables hold one of the words? */
async function tablesHolding(words: readonly string[]): Promise<string[]> {
  const { rows: tables } = await world.db.pool.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const holding: string[] = [];
  for (const { name } of tables) {
    const { rows } = await world.db.pool.query<{ row: string }>(`SELECT lower(t::text) AS row FROM ${name} t`);
    const found = (word: string) =>
      rows.some(({ row }) => row.includes(word.toLowerCase()) || row.includes(Buffer.from(word).toString('hex')));
    if (words.some(found)) holding.push(name);
  }
  return holding;
}

/** Files under a folder that hold one of the words. */
function filesHolding(folder: string, words: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => {
      const text = readFileSync(file, 'latin1').toLowerCase();
      return words.some((word) => text.includes(word.toLowerCase()));
    });
}

const erase = (address: string, ...more: string[]) =>
  runCli(['erase', address.toUpperCase(), '--json', ...more], world.house.env);

it('after an erasure no table, no file on the SFTP server and no log holds the person, and nobody mails it again', async () => {
  const client = await addClient(world, 'erasing', undefined, {
    settings: { export: { extraColumns: ['Last name'] }, onError: { halt: false } },
  });
  const other = 'stays@gone.example';
  const file = await upload(world, client, [rowOf(client, VICTIM, NAME), rowOf(client, other, 'Stays')]);
  await untilSent(world, client, file);
  const mail = await mailTo(world.stack.inbox, VICTIM);
  await fetch(mail.pixel, { headers: { 'user-agent': AGENT } });
  const left = await fetch(mail.unsubscribe, {
    method: 'POST',
    body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }),
  });
  expect(left.status).toBe(200);
  const returnPath = world.stack.inbox.journal().find(({ envelopeTo }) => envelopeTo.includes(VICTIM))?.envelopeFrom;
  const bounce = deliveryStatus(returnPath ?? '', [
    { recipient: VICTIM, status: '5.2.2', diagnostic: `552 <${VICTIM}> full` },
  ]);
  await smtpSend(world.house.inboundUrl, { from: '', to: returnPath ?? '' }, bounce);
  await until('everything came back', async () => {
    const { rows } = await world.db.pool.query<{ n: number }>(
      'SELECT (SELECT count(*) FROM response)::int + (SELECT count(*) FROM event)::int AS n',
    );
    return (rows[0]?.n ?? 0) >= 3 || undefined;
  });
  await runExport(world, client);
  // A file that fails, and is quoted in the error files: its last row has a column more.
  const failed = await upload(world, client, [[...rowOf(client, VICTIM, NAME), 'more'], rowOf(client, other, 'Stays')]);
  await untilImported(world, client, failed);
  const root = world.stack.sftpRoot;
  const errorFile = join(root, logsPath(client.directory), `${failed}.error.csv`);
  await until(
    'the failed file is filed away',
    async () => filesHolding(join(root, logsPath(client.directory)), [NAME])[0],
  );
  const [before] = await selectExports(world.db.pool, client.id);
  expect(filesHolding(root, [VICTIM]).length).toBeGreaterThanOrEqual(6);
  expect((await tablesHolding([VICTIM])).length).toBeGreaterThanOrEqual(4);

  const { code, json, stderr } = await erase(VICTIM, '--verify');
  expect(code, stderr).toBe(0);
  expect(json).toMatchObject({ rows: { recipients: 1, suppressions: 1 }, files: { left: [] }, mentions: [] });

  expect(await tablesHolding([VICTIM, NAME, AGENT])).toEqual([]);
  expect(filesHolding(root, [VICTIM, NAME])).toEqual([]);
  expect(filesHolding(join(root, '..', '..', 'logs'), [VICTIM, NAME])).toEqual([]);
  expect(filesHolding(join(root, '..', '..', 'spool'), [VICTIM])).toEqual([]);
  // The others' data is whole, on the lines where it was, and the files are what the database says of them.
  const done = readFileSync(join(root, inboxPaths(client.directory, 'import').done, file), 'utf8');
  expect(done.split('\n')).toEqual(['', expect.stringContaining(other), '']);
  expect(readFileSync(errorFile, 'utf8')).toMatch(/^line;column;code/);
  const exported = filesHolding(join(root, exportPath(client.directory)), [other]);
  expect(exported.map((path) => readFileSync(path, 'utf8').split('\n').length)).toEqual([4]);
  const [after] = await selectExports(world.db.pool, client.id);
  expect(after?.files.map(({ rows }) => rows)).toEqual(before?.files.map(({ rows }) => rows));

  // Under the key of the installation the address is still known as one that left.
  const { rows: hashes } = await world.db.pool.query<{ hash: Buffer; reason: string }>(
    'SELECT hash, reason FROM suppression_hash',
  );
  const key = Buffer.from(world.house.env.SUPPRESSION_KEY ?? '', 'base64');
  const hash = createHmac('sha256', key).update(VICTIM.toLowerCase()).digest();
  expect(hashes).toEqual([{ hash, reason: 'unsubscribed' }]);
  const accepted = world.stack.inbox.counts.accepted;
  const again = await upload(world, client, [rowOf(client, VICTIM, NAME), rowOf(client, 'new@gone.example', 'New')]);
  await untilSent(world, client, again);
  expect(await untilImported(world, client, again)).toMatchObject({ queued: 1n, suppressed: 1n });
  expect(world.stack.inbox.counts.accepted).toBe(accepted + 1);

  // Until the client says that it wants mail again.
  const lifted = await runCli(['suppression', 'remove', VICTIM, '--client', 'erasing', '--json'], world.house.env);
  expect(lifted.json).toMatchObject({ removed: 1 });
});

it('an address whose mail is due gets none: the erasure comes before the sender', async () => {
  const client = await addClient(world, 'due');
  const due = 'due@gone.example';
  await world.house.app('sender-workers').stop();
  const file = await upload(world, client, [rowOf(client, due, NAME), rowOf(client, 'next@gone.example', 'Next')]);
  await untilImported(world, client, file);

  const { json } = await erase(due);
  expect(json).toMatchObject({ rows: { recipients: 1 } });
  await world.house.start('sender-workers');
  await untilSent(world, client, file);
  const accepted = acceptedAddresses(world.stack.inbox);
  expect([accepted.has('next@gone.example'), accepted.has(due)]).toEqual([true, false]);
  const { rows } = await world.db.pool.query(
    'SELECT d.status FROM delivery d JOIN mailing m ON m.id = d.mailing_id WHERE m.client_id = $1 ORDER BY d.status',
    [client.id],
  );
  expect(rows).toEqual([{ status: 'sent' }, { status: 'suppressed' }]);
});

it('an app without the key stops rather than mailing who was erased', async () => {
  const { SUPPRESSION_KEY: _, ...env } = world.house.env;
  const client = await addClient(world, 'no-key');
  await world.db.pool.query(`INSERT INTO suppression (client_id, address, reason) VALUES ($1, $2, 'unsubscribed')`, [
    client.id,
    VICTIM.toLowerCase(),
  ]);
  const { code, stdout, stderr } = await runCli(['erase', VICTIM], env);
  expect(code).toBe(1);
  expect(stdout + stderr).toContain('SUPPRESSION_KEY');
});
