import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deliveryStatus, smtpSend, temporaryDirectory } from '@postloop/local-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptedAddresses } from './support/balance.js';
import { runCli } from './support/cli.js';
import { until } from './support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  runExport,
  type TestClient,
  untilSent,
  upload,
  type World,
} from './support/world.js';

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

const cli = (...args: string[]) => runCli([...args, '--json'], world.house.env);

/** A command that is to succeed; its JSON. */
async function ask(...args: string[]): Promise<unknown> {
  const { code, json, stderr } = await cli(...args);
  expect(code, `${args.join(' ')}: ${stderr}${JSON.stringify(json)}`).toBe(0);
  return json;
}

function fileOf(content: string | Buffer): string {
  const file = join(mkdtempSync(join(directory.path, 'file-')), 'blocklist.csv');
  writeFileSync(file, content);
  return file;
}

describe('the suppression list of a client', () => {
  let client: TestClient;
  const of = () => ['--client', client.directory];
  const listed = async (...more: string[]) =>
    ((await ask('suppression', 'list', ...of(), ...more)) as { entry: string; reason: string }[]).map(
      ({ entry, reason }) => `${entry} ${reason}`,
    );
  beforeAll(async () => {
    client = await addClient(world, 'list');
  });

  it('takes addresses and patterns, shows them by reason, and gives them back', async () => {
    const entries = ['Ada@x.example', '*@competitor.example', 'info?@x.example'];
    expect(await ask('suppression', 'add', ...entries, ...of(), '--dry-run')).toMatchObject({ dryRun: true });
    expect(await listed()).toEqual([]);
    expect(await ask('suppression', 'add', ...entries, ...of())).toMatchObject({ added: 3, known: 0 });
    expect(await ask('suppression', 'add', 'ADA@x.example', ...of())).toMatchObject({ added: 0, known: 1 });
    await ask('suppression', 'add', 'bob@x.example', ...of(), '--reason', 'complaint');
    expect(await listed()).toEqual([
      '*@competitor.example blacklisted',
      'ada@x.example blacklisted',
      'bob@x.example complaint',
      'info?@x.example blacklisted',
    ]);
    expect(await listed('--reason', 'complaint')).toEqual(['bob@x.example complaint']);
    expect(await ask('suppression', 'remove', 'info?@x.example', 'bob@x.example', ...of())).toMatchObject({
      removed: 2,
    });
    expect(await listed()).toHaveLength(2);
  });

  it.each([
    ['nobody', 'has not exactly one @'],
    ['*@*', 'fits every address'],
  ])('refuses %s, and adds nothing', async (entry, message) => {
    const before = await listed();
    const told = await cli('suppression', 'add', 'good@x.example', entry, ...of());
    expect(told).toMatchObject({ code: 2, json: { error: { message: expect.stringContaining(message) } } });
    expect(await listed()).toEqual(before);
  });
});

describe('a suppression file', () => {
  it('is imported, exported, and read again: addresses, patterns, reasons', async () => {
    await addClient(world, 'round');
    await addClient(world, 'trip');
    const file = fileOf('\ufeffAda@x.example;complaint\r\n"*@bad.example";\r\n\r\nbob@x.example;unsubscribed');
    expect(await ask('suppression', 'import', file, '--client', 'round', '--dry-run')).toMatchObject({ entries: 3 });
    expect(await ask('suppression', 'list', '--client', 'round')).toEqual([]);
    expect(await ask('suppression', 'import', file, '--client', 'round')).toMatchObject({ added: 3, known: 0 });
    expect(await ask('suppression', 'import', file, '--client', 'round')).toMatchObject({ added: 0, known: 3 });

    const written = join(directory.path, 'written.csv');
    expect(await ask('suppression', 'export', written, '--client', 'round')).toMatchObject({ entries: 3 });
    const lines = '*@bad.example;blacklisted\nada@x.example;complaint\nbob@x.example;unsubscribed\n';
    expect(readFileSync(written, 'utf8')).toBe(lines);
    await ask('suppression', 'import', written, '--client', 'trip');
    const again = join(directory.path, 'again.csv');
    await ask('suppression', 'export', again, '--client', 'trip');
    expect(readFileSync(again, 'utf8')).toBe(lines);
  });

  it('of one column is of the reason that is named', async () => {
    await addClient(world, 'column');
    const file = fileOf('ada@x.example\nbob@x.example\n');
    await ask('suppression', 'import', file, '--client', 'column', '--reason', 'unsubscribed');
    expect(await ask('suppression', 'list', '--client', 'column', '--reason', 'unsubscribed')).toHaveLength(2);
  });

  it.each([
    ['ada@x.example;\nnobody;\n', 'line 2, column 1', '"nobody"'],
    ['ada@x.example;spam\n', 'line 1, column 2', '"spam" is no reason'],
    ['ada@x.example;\n*@bad.example;complaint\n', 'line 2, column 1', 'cannot be complaint'],
    ['ada@x.example;\nbob@x.example\n', 'line 2, column 1', 'columns'],
    ['ada@x.example;;\n', 'line 1, column 3', 'more than two columns'],
    ['ada@x.example\n"bob"x\n', 'line 2, column 1', 'quot'],
  ])('with a fault (%j) is refused whole, with the place and the remedy', async (content, path, message) => {
    const { directory: name } = await addClient(world, `faulty-${path.replace(/\W/g, '')}-${message.length}`);
    const file = fileOf(content);
    const told = await cli('suppression', 'import', file, '--client', name);
    expect(told).toMatchObject({
      code: 1,
      json: {
        error: {
          problems: [{ file, path, message: expect.stringContaining(message), remedy: expect.stringMatching(/\.$/) }],
        },
      },
    });
    expect(await ask('suppression', 'list', '--client', name)).toEqual([]);
  });

  it('that is not there is told so', async () => {
    const told = await cli('suppression', 'import', '/nowhere/list.csv', '--client', 'round');
    expect(told).toMatchObject({ code: 2, json: { error: { message: expect.stringContaining('/nowhere/list.csv') } } });
  });

  it('of many lines is imported whole', async () => {
    await addClient(world, 'many');
    const file = fileOf(Array.from({ length: 12_345 }, (_, i) => `p${i}@x.example\n`).join(''));
    expect(await ask('suppression', 'import', file, '--client', 'many')).toMatchObject({ added: 12_345 });
    const written = join(directory.path, 'many.csv');
    await ask('suppression', 'export', written, '--client', 'many');
    expect(new Set(readFileSync(written, 'utf8').split('\n')).size).toBe(12_346);
  });
});

it('an address that is suppressed while a mailing runs gets no mail of it any more', async () => {
  const client = await addClient(world, 'running');
  const before = world.stack.inbox.counts.accepted;
  // Two mails a second: the last of these is far away.
  world.stack.inbox.behave({ delayMs: 500 });
  const file = await upload(world, client, rowsFor(client, 600));
  await world.stack.inbox.waitForAccepted(before + 1);
  await ask('suppression', 'add', 'p599@running.example', 'p59?@running.example', '--client', client.directory);
  world.stack.inbox.behaveNormally();
  const [mailing] = await untilSent(world, client, file);
  expect(await ask('mailing', 'show', String(mailing))).toMatchObject({ statuses: { sent: '590', suppressed: '10' } });
  const mailed = acceptedAddresses(world.stack.inbox);
  expect(mailed.has('p589@running.example')).toBe(true);
  expect(Array.from({ length: 10 }, (_, i) => mailed.has(`p59${i}@running.example`))).not.toContain(true);
});

describe('a mailing that is resent', () => {
  it('reaches those whose mail bounced softly, under a new ID in the same campaign', async () => {
    const client = await addClient(world, 'resent');
    const [mailing] = await untilSent(world, client, await upload(world, client, rowsFor(client, 3)));
    const returned = world.stack.inbox.journal().find(({ envelopeTo }) => envelopeTo.includes('p1@resent.example'));
    const to = returned?.envelopeFrom ?? '';
    const full = { recipient: 'p1@resent.example', status: '4.2.2', diagnostic: '452 4.2.2 Mailbox full' };
    await smtpSend(world.house.inboundUrl, { from: '', to }, deliveryStatus(to, [full]));
    await until('the bounce is recorded', async () => {
      const { rows } = await world.db.pool.query('SELECT 1 FROM response WHERE client_id = $1', [client.id]);
      return rows.length > 0 || undefined;
    });
    const before = world.stack.inbox.counts.accepted;

    const order = ['mailing', 'resend', String(mailing), '--to', 'soft-bounces'];
    expect(await ask(...order, '--dry-run')).toMatchObject({ id: null, recipients: 1 });
    const made = (await ask(...order)) as { id: string };
    expect(made).toMatchObject({ resendOf: String(mailing), recipients: 1, id: expect.stringMatching(/^\d+$/) });
    await world.stack.inbox.waitForAccepted(before + 1);
    const again = world.stack.inbox.journal().at(-1);
    expect(again?.envelopeTo).toEqual(['p1@resent.example']);
    await until('the resend is finished', async () => {
      const { rows } = await world.db.pool.query(`SELECT 1 FROM mailing WHERE id = $1 AND status = 'finished'`, [
        made.id,
      ]);
      return rows.length > 0 || undefined;
    });
    expect(await ask(...order)).toMatchObject({ id: null, recipients: 0 });
    const { mailings, mailingrecipients } = await runExport(world, client);
    expect(mailings.map(({ id }) => id)).toEqual([String(mailing), made.id]);
    expect(new Set(mailings.map(({ compoundMasterId }) => compoundMasterId)).size).toBe(1);
    expect(mailingrecipients.filter(({ mailingId }) => mailingId === made.id)).toHaveLength(1);
  });

  it('must be there and finished', async () => {
    const unknown = await cli('mailing', 'resend', '999', '--to', 'soft-bounces');
    expect(unknown).toMatchObject({ code: 1, json: { error: { remedy: expect.stringContaining('mailing list') } } });
    expect((await runCli(['mailing', 'resend', '999'], world.house.env)).code).toBe(2);
  });
});
