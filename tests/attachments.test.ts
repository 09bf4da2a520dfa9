import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '@postloop/local-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './support/cli.js';
import { mailTo, readMail } from './support/mail.js';
import { addClient, openWorld, sendingApps, type TestClient, untilSent, upload, type World } from './support/world.js';

let world: World;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
  world = await openWorld({ apps: sendingApps });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

/** A source mailing's folder as its author keeps it. */
async function folderOf(name: string, mailing: object = {}): Promise<string> {
  const folder = join(directory.path, name);
  await mkdir(join(folder, 'attachments'), { recursive: true });
  await writeFile(join(folder, 'mail.html'), '<html><body><p>Hello {{ First name }}</p></body></html>');
  const json = { name, subject: 'Hello', fromName: 'Shop', fromAddress: 'news@shop.example', ...mailing };
  await writeFile(join(folder, 'mailing.json'), JSON.stringify(json));
  return folder;
}

const attach = (folder: string, name: string, content: string | Buffer) =>
  writeFile(join(folder, 'attachments', name), content);

const apply = (client: TestClient, folder: string) =>
  runCli(['source-mailing', 'apply', folder, '--client', client.directory, '--json'], world.house.env);

async function applied(client: TestClient, folder: string): Promise<bigint> {
  const run = await apply(client, folder);
  expect(run.code, run.stderr).toBe(0);
  return BigInt((run.json as { id: string }[])[0]?.id ?? 0);
}

async function filesOf(client: TestClient, source: bigint, name: string) {
  const address = `${name}@${client.directory}.example`;
  await untilSent(world, client, await upload(world, client, [[address, String(source), null, null, name, null]]));
  return filesIn(address);
}

async function filesIn(address: string) {
  const { email } = await mailTo(world.stack.inbox, address);
  return email.attachments.map(({ filename, mimeType, content }) => [
    filename,
    mimeType,
    Buffer.from(content as ArrayBuffer).toString(),
  ]);
}

describe('what lies in attachments/ of a source mailing', () => {
  it('is in every mail, with name and type; a later change is in the mailings after it', async () => {
    const client = await addClient(world, 'attachments');
    const folder = await folderOf('with-files');
    await attach(folder, 'Terms 2026.pdf', '%PDF-1.7');
    await attach(folder, 'Größen.xyz', 'a\r\nb');
    await attach(folder, '.hidden', 'not this');
    const source = await applied(client, folder);
    const first = [
      ['Größen.xyz', 'application/octet-stream', 'a\r\nb'],
      ['Terms 2026.pdf', 'application/pdf', '%PDF-1.7'],
    ];
    expect(await filesOf(client, source, 'ann')).toEqual(first);
    expect(await filesOf(client, source, 'bob')).toEqual(first);

    await attach(folder, 'Terms 2026.pdf', '%PDF-2.0');
    expect(await applied(client, folder)).toBe(source);
    expect((await filesOf(client, source, 'cleo'))[1]?.[2]).toBe('%PDF-2.0');
    expect((await filesIn('ann@attachments.example'))[1]?.[2]).toBe('%PDF-1.7');
  });

  it('is refused when it is too much, or no file', async () => {
    const client = await addClient(world, 'refused');
    const folder = await folderOf('too-much');
    await attach(folder, 'a.pdf', Buffer.alloc(3_000_000));
    await attach(folder, 'b.pdf', Buffer.alloc(3_000_000));
    await mkdir(join(folder, 'attachments', 'more'));
    const run = await apply(client, folder);
    expect(run.code).toBe(1);
    expect(run.stderr + run.stdout).toMatch(/6000000 bytes together.*Attach at most 5000000 bytes/);
    expect(run.stderr + run.stdout).toContain('more');
  });
});

it('rules of mailing.json are checked, and kept', async () => {
  const client = await addClient(world, 'rules-json');
  const bad = await apply(client, await folderOf('bad-rules', { rules: { missingProduct: 'ignore' } }));
  expect([bad.code, bad.stderr + bad.stdout]).toEqual([1, expect.stringContaining('rules.missingProduct')]);

  const rules = { missingContent: { default: '–' } };
  const source = await applied(client, await folderOf('good-rules', { rules }));
  const { rows } = await world.db.pool.query('SELECT rules FROM source_mailing WHERE id = $1', [source]);
  expect(rows).toEqual([{ rules: { missingProduct: 'skip_block', ...rules } }]);
});

it('the preview shows the example with product data and attachments, without a server', async () => {
  const example = fileURLToPath(new URL('../examples/example-shop/', import.meta.url));
  const row = join(directory.path, '20260101090000_subscribers.csv');
  await writeFile(row, 'ada@example.org;1000;77;Ms;Ada;Lovelace;C-1001;London;AUTUMN-7\n');
  const feed = (kind: string) => [`--${kind}`, `${example}products/20260101090000_${kind}.csv`];
  const run = await runCli(
    [
      'source-mailing',
      'preview',
      `${example}product-mailings`,
      '--row',
      row,
      '--out',
      directory.path,
      ...feed('products'),
      ...feed('recommendations'),
    ],
    {},
  );
  expect(run.code, run.stderr).toBe(0);
  const { html, email } = await readMail(await readFile(join(directory.path, 'mail.eml')));
  expect(html).toMatch(/Thermos flask<\/a>,\s+24\.50 EUR[\s\S]+Felt slippers/);
  expect(email.attachments.map(({ filename }) => filename)).toEqual(['care.txt']);
});
