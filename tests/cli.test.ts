import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatRow, type Row } from '@postloop/csv-dialect';
import { upsertSourceMailing } from '@postloop/db';
import { freePort, temporaryDirectory } from '@postloop/local-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './support/cli.js';
import { redisCommand } from './support/redis.js';
import { until } from './support/until.js';
import {
  addClient,
  nextName,
  openWorld,
  rowsFor,
  type TestClient,
  untilImported,
  type World,
} from './support/world.js';

const EXAMPLE = fileURLToPath(new URL('../examples/example-shop', import.meta.url));

let world: World;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  world = await openWorld({ env: { SMTP_CONNECTIONS: '1' } });
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

/** A command that is to succeed; its JSON. */
async function ask(...args: string[]) {
  const { code, json, stderr } = await runCli([...args, '--json'], world.house.env);
  expect(code, `${args.join(' ')}: ${stderr}${JSON.stringify(json)}`).toBe(0);
  // Shapes are what the assertions are about.
  return json as Record<string, never> & Record<string, never>[];
}

function fileOf(rows: readonly Row[]): string {
  const file = join(mkdtempSync(join(directory.path, 'file-')), nextName());
  writeFileSync(file, rows.map(formatRow).join(''));
  return file;
}

const row = (email: string, id: string): Row => [email, id, '77', 'Ms', 'Ada', 'Lovelace', 'C-1', 'London', 'A-7'];

it('a client, its source mailings, a file, its mailing, the export, a recipient: by command alone', async () => {
  const client = await ask('client', 'apply', EXAMPLE);
  expect(client).toMatchObject({ name: 'Example Shop', id: expect.stringMatching(/^\d+$/) });
  const sources = await ask('source-mailing', 'apply', join(EXAMPLE, 'source-mailings'));
  const [autumn, tips] = sources.map(({ id }) => String(id));
  const file = fileOf([
    row('ada@shop-cli.example', autumn ?? ''),
    row('bob@shop-cli.example', tips ?? ''),
    row('bob@shop-cli.example', tips ?? ''),
  ]);
  const ingested = await ask('ingest', file, '--client', 'Example Shop', '--wait');
  expect(ingested.import).toMatchObject({ status: 'started', rows: '3', queued: '2', duplicate: '1' });

  const listed = await ask('mailing', 'list', '--client', 'example-shop');
  expect(listed).toHaveLength(2);
  const ofTips = listed.find(({ sourceMailingId }) => sourceMailingId === tips);
  expect(await ask('mailing', 'show', String(ofTips?.id))).toMatchObject({
    status: 'finished',
    statuses: { sent: '1', duplicate: '1' },
  });

  const exported = await ask('export', 'run', String(client.id));
  expect(exported).toMatchObject({ status: 'done', files: expect.arrayContaining([]) });
  expect(await ask('export', 'list', 'example-shop')).toHaveLength(1);

  const trace = await ask('recipient', 'trace', 'BOB@shop-cli.example');
  expect(trace.recipients).toMatchObject([
    {
      line: '2',
      status: 'sent',
      smtpCode: 250,
      exports: [{ kind: 'mailingrecipients', fileName: expect.stringMatching(/mailingrecipients/) }],
    },
    { line: '3', status: 'duplicate', exports: [] },
  ]);
});

it('text is for people: a table without JSON, an unknown ID with its remedy', async () => {
  const list = await runCli(['client', 'list'], world.house.env);
  expect(list.stdout.split('\n')[0]).toMatch(/^ *ID +name +directory/);
  const unknown = await runCli(['mailing', 'show', '999', '--json'], world.house.env);
  expect(unknown).toMatchObject({ code: 1, json: { error: { remedy: expect.stringContaining('mailing list') } } });
  expect((await runCli(['mailing', 'shwo'], world.house.env)).code).toBe(2);
});

describe('source mailings before they are used', () => {
  it('an undefined placeholder is told with file and place, and nothing is applied', async () => {
    const folder = join(directory.path, 'broken');
    cpSync(EXAMPLE, folder, { recursive: true });
    const mjml = join(folder, 'source-mailings/autumn-news/mail.mjml');
    writeFileSync(mjml, readFileSync(mjml, 'utf8').replace('{{ Voucher }}', '{{ Vuocher }}'));
    const line = readFileSync(mjml, 'utf8')
      .split('\n')
      .findIndex((text) => text.includes('Vuocher'));
    const { code, json } = await runCli(['source-mailing', 'validate', join(folder, 'source-mailings'), '--json'], {});
    expect(code).toBe(1);
    expect(json).toMatchObject({
      problems: [
        {
          file: mjml,
          path: expect.stringContaining(`line ${line + 1},`),
          remedy: expect.stringContaining('{{ Voucher }}'),
        },
      ],
    });
    const applied = await runCli(['source-mailing', 'apply', folder, '--dry-run'], world.house.env);
    expect(applied.code).toBe(1);
  });

  it('the preview is the mail of that very row', async () => {
    const file = fileOf([row('ada@x.example', '1'), ['bob@x.example', '1', null, 'Mr', 'Bö; <b>', 'Ö', null, '', 'V']]);
    const out = join(directory.path, 'preview');
    const mailing = join(EXAMPLE, 'source-mailings/autumn-news');
    const { code, json } = await runCli(
      ['source-mailing', 'preview', mailing, '--row', file, '--line', '2', '--out', out, '--json'],
      {},
    );
    expect(code).toBe(0);
    expect(json).toMatchObject({ line: 2, email: 'bob@x.example', subject: 'Bö; <b>, the autumn collection is here' });
    expect(readFileSync(join(out, 'mail.html'), 'utf8')).toContain('Bö; &lt;b&gt;');
    expect(readFileSync(join(out, 'mail.txt'), 'utf8')).toContain('Bö; <b>');
    expect(readFileSync(join(out, 'mail.eml'), 'latin1')).toMatch(/^To: <?bob@x\.example>?\r$/m);
  });
});

describe('a running mailing', () => {
  /** Starts a mailing that gets two mails a second through, and waits for the first. @returns its ID, what went before it */
  async function start(client: TestClient, count: number): Promise<{ id: string; before: number }> {
    const before = world.stack.inbox.counts.accepted;
    world.stack.inbox.behave({ delayMs: 500 });
    await ask('ingest', fileOf(rowsFor(client, count)), '--client', client.directory);
    await world.stack.inbox.waitForAccepted(before + 1);
    const [mailing] = await ask('mailing', 'list', '--client', client.directory, '--limit', '1');
    return { id: String(mailing?.id), before };
  }

  const untilFound = (what: string, sql: string, id: string) =>
    until(what, async () => ((await world.db.pool.query(sql, [id])).rows.length > 0 ? true : undefined));

  const untilIdle = (id: string) =>
    untilFound(
      'no sender holds a mail of it',
      `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM send_batch WHERE mailing_id = $1 AND status = 'claimed')
          AND NOT EXISTS (SELECT 1 FROM delivery WHERE mailing_id = $1 AND status = 'in_flight')`,
      id,
    );

  it('stops when it is paused, goes on when it is resumed, and mails everyone once', async () => {
    const client = await addClient(world, 'paused');
    const { id, before } = await start(client, 150);
    expect(await ask('mailing', 'pause', id, '--dry-run')).toMatchObject({ before: 'sending', after: 'paused' });
    expect(await ask('mailing', 'pause', id)).toMatchObject({ before: 'sending', after: 'paused' });
    const paused = world.stack.inbox.counts.accepted;
    await untilIdle(id);
    // What was in flight: at most two on the one connection.
    expect(world.stack.inbox.counts.accepted).toBeLessThanOrEqual(paused + 2);
    expect(world.stack.inbox.counts.accepted).toBeLessThan(before + 150);
    world.stack.inbox.behaveNormally();
    expect(await ask('mailing', 'resume', id)).toMatchObject({ after: 'sending' });
    await world.stack.inbox.waitForAccepted(before + 150);
    await untilFound('it is finished', `SELECT 1 FROM mailing WHERE id = $1 AND status = 'finished'`, id);
    expect(world.stack.inbox.counts.accepted).toBe(before + 150);
    const again = await runCli(['mailing', 'pause', id, '--json'], world.house.env);
    expect(again).toMatchObject({ code: 1, json: { error: { message: expect.stringContaining('finished') } } });
  });

  it('is over when it is cancelled: what was sent is exported, the others are cancelled', async () => {
    const client = await addClient(world, 'cancelled');
    const { id, before } = await start(client, 150);
    expect(await ask('mailing', 'cancel', id)).toMatchObject({ after: 'cancelled' });
    await untilIdle(id);
    world.stack.inbox.behaveNormally();
    const sent = world.stack.inbox.counts.accepted - before;
    const shown = await ask('mailing', 'show', id);
    expect(shown.statuses).toEqual({ sent: String(sent), cancelled: String(150 - sent) });
    const { files } = await ask('export', 'run', 'cancelled');
    expect(files).toContainEqual(expect.objectContaining({ kind: 'mailingrecipients', rows: 150 }));
  });
});

describe('a failed import is restarted', () => {
  it('from its file, when nothing was stored', async () => {
    const client = await addClient(world, 'again');
    const before = world.stack.inbox.counts.accepted;
    const bad: Row = ['nobody', String(client.sources[0]), null, 'Ms', 'A', 'B'];
    const file = fileOf([...rowsFor(client, 3), bad]);
    const failed = await runCli(['ingest', file, '--client', 'again', '--wait', '--json'], world.house.env);
    expect(failed).toMatchObject({ code: 1, json: { import: { status: 'failed', faults: expect.any(Array) } } });
    await world.db.pool.query('UPDATE client SET bad_row_share = 0.5 WHERE id = $1', [client.id]);
    const [row] = await ask('import', 'list', '--client', 'again');
    expect(await ask('import', 'restart', String(row?.id))).toMatchObject({ restarted: 'upload' });
    const name = file.split('/').at(-1) ?? '';
    const report = await until('it is imported anew', async () => {
      const found = await untilImported(world, client, name);
      return found.status === 'started' ? found : undefined;
    });
    expect(report).toMatchObject({ queued: 3n, invalid: 1n });
    await world.stack.inbox.waitForAccepted(before + 3);
  });

  it('from its rows, when only the start failed', async () => {
    const client = await addClient(world, 'start', [{}, { html: '<p>{{ Nobody }}</p>' }]);
    const rows = [...rowsFor(client, 2, 0), ...rowsFor(client, 2, 1)];
    const before = world.stack.inbox.counts.accepted;
    const failed = await runCli(['ingest', fileOf(rows), '--client', 'start', '--wait', '--json'], world.house.env);
    expect(failed.code).toBe(1);
    expect(world.stack.inbox.counts.accepted).toBe(before);
    await mend(client);
    const [row] = await ask('import', 'list', '--client', 'start');
    expect(await ask('import', 'restart', String(row?.id))).toMatchObject({ restarted: 'start' });
    await world.stack.inbox.waitForAccepted(before + 4);
    expect(await ask('import', 'show', String(row?.id))).toMatchObject({ status: 'started', faults: null });
  });

  async function mend(client: TestClient): Promise<void> {
    const source = await world.db.prisma.sourceMailing.findUniqueOrThrow({ where: { id: client.sources[1] ?? 0n } });
    const { status, campaignId, updatedAt, id, rules, ...content } = source;
    await upsertSourceMailing(world.db, { ...content, body: '<p>Hello {{ First name }}</p>' });
  }
});

describe('the doctor', () => {
  /** Changes of the environment that break the set-up in one way, and the name that the doctor has for it. */
  const broken: [string, string, (env: Record<string, string>) => Promise<Record<string, string>>][] = [
    ['database', 'database_refused', async (env) => withPort(env, 'DATABASE_URL')],
    ['database', 'database_login', async (env) => edit(env, 'DATABASE_URL', (url) => url.replace(/:[^:@/]+@/, ':no@'))],
    ['database', 'database_missing', async (env) => edit(env, 'DATABASE_URL', (url) => url.replace(/\w+$/, 'nowhere'))],
    [
      'migrations',
      'migrations_missing',
      async () => ({ DATABASE_URL: await world.stack.postgres.createDatabase('bare') }),
    ],
    [
      'queue',
      'redis_refused',
      async () => ({ QUEUE_BACKEND: 'redis', REDIS_URL: `redis://127.0.0.1:${await freePort()}` }),
    ],
    ['sftp', 'sftp_refused', async () => ({ SFTP_PORT: String(await freePort()) })],
    ['sftp', 'sftp_host_key', async () => ({ SFTP_HOST_KEY: `SHA256:${'A'.repeat(43)}` })],
    ['sftp', 'sftp_login', async () => ({ SFTP_PASSWORD: 'wrong' })],
    ['smtp', 'smtp_refused', async () => ({ SMTP_URL: `smtp://127.0.0.1:${await freePort()}` })],
    [
      'smtp',
      'smtp_refused',
      async () => ({ SMTP_TRANSPORTS: `{"relay":{"url":"smtp://127.0.0.1:${await freePort()}"}}` }),
    ],
    ['configuration', 'variable_missing', async () => ({ TOKEN_KEYS: '' })],
    ['configuration', 'variable_invalid', async () => ({ SFTP_PORT: '70000' })],
    ['configuration', 'variable_invalid', async () => ({ DKIM_KEYS: 'shop.example:s2026:rsa:/nowhere.pem' })],
    ['configuration', 'variable_invalid', async () => ({ TOKEN_KEYS: '', TOKEN_KEYS_FILE: '/nowhere/keys' })],
  ];

  it('finds nothing wrong with a set-up that works', async () => {
    const report = await ask('doctor');
    expect(report).toMatchObject({ ok: true, failed: 0, warned: 0 });
    const looked = (report.checks as unknown as { check: string }[]).map(({ check }) => check);
    expect(new Set(looked)).toEqual(
      new Set(['configuration', 'database', 'migrations', 'queue', 'sftp', 'smtp', 'return_path', 'dkim', 'clock']),
    );
  });

  it.each(broken)('names a broken %s: %s', async (check, code, breakIt) => {
    const env = { ...world.house.env, ...(await breakIt(world.house.env)) };
    await expectFailure(env, check, code);
  });

  it('names a Redis that evicts', async ({ skip }) => {
    const { redis } = world.stack;
    if (!redis) return skip();
    await redisCommand(redis.port, 'CONFIG SET maxmemory-policy allkeys-lru');
    try {
      await expectFailure(world.house.env, 'queue', 'redis_evicts');
    } finally {
      await redisCommand(redis.port, 'CONFIG SET maxmemory-policy noeviction');
    }
  });

  async function expectFailure(env: Record<string, string>, check: string, code: string): Promise<void> {
    const { code: exit, json, stdout } = await runCli(['doctor', '--json'], env);
    expect(exit).toBe(1);
    const { checks } = json as { checks: Record<string, string>[] };
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([
      { check, status: 'fail', code, found: expect.any(String), remedy: expect.stringMatching(/\w/) },
    ]);
    // Neither a password nor a key ends in a bug report.
    for (const secret of secretsOf(world.house.env)) expect(stdout).not.toContain(secret);
  }

  const secretsOf = (env: Record<string, string>) => [
    new URL(env.DATABASE_URL ?? '').password,
    env.SFTP_PASSWORD ?? '?',
    env.TOKEN_KEYS?.slice(2) ?? '?',
  ];
  const edit = (env: Record<string, string>, name: string, change: (value: string) => string) => ({
    [name]: change(env[name] ?? ''),
  });
  const withPort = async (env: Record<string, string>, name: string) => {
    const port = await freePort();
    return edit(env, name, (url) => url.replace(/:\d+\//, `:${port}/`));
  };
});
