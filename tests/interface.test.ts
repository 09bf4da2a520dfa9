import { join } from 'node:path';
import { clientDirectories, exportPath, inboxPaths, logsPath } from '@postloop/contracts';
import { type ResponseFileKind, selectExports } from '@postloop/db';
import { deliveryStatus, smtpSend } from '@postloop/local-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './support/cli.js';
import { expectDocumented, fenced } from './support/documented.js';
import { errorsOf, haltOf, send, untilLies } from './support/exchange.js';
import * as example from './support/interface-example.js';
import { mailTo, readMail } from './support/mail.js';
import { until } from './support/until.js';
import { openWorld, type TestClient, untilSent, type World } from './support/world.js';

// The examples of docs/INTERFACE.md are what a small client sends and gets. After a change: UPDATE_DOCS=1 npm test -- tests/interface.test.ts

const INTERFACE = 'docs/INTERFACE.md';
const FILE = '20261121080000_subscribers.csv';
const FAULTY = '20261121090000_subscribers.csv';
const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0';

let world: World;
beforeAll(async () => {
  world = await openWorld({ env: { JOURNAL_INTERVAL_MS: '100' } });
});
afterAll(() => world[Symbol.asyncDispose]());

describe('the example client', () => {
  const same = example.withoutChance();
  const shows = (name: string, text: string, language?: string) =>
    expectDocumented(INTERFACE, name, fenced(same(text), language));
  let shop: TestClient;
  let broadmailId: string;

  beforeAll(async () => {
    const folders = await example.writeExample(join(world.dir, 'example'));
    const client = await command<{ id: string }>('client', 'apply', folders.client);
    const [mailing] = await command<{ id: string }[]>('source-mailing', 'apply', folders.mailing);
    broadmailId = mailing?.id ?? '';
    shop = { id: BigInt(client.id), directory: example.EXAMPLE_CLIENT.directory, sources: [BigInt(broadmailId)] };
    await world.sftp.makeDirectories(clientDirectories(shop.directory));
    // Everything on demand: an export in the middle would split the files.
    await world.db.pool.query('DELETE FROM schedule WHERE client_id = $1', [shop.id]);
    await command('suppression', 'add', 'blocked@shop.example', '--client', shop.directory);
    same(`${shop.id} ${broadmailId}`);
  });

  it('is set up by files', () => {
    shows('example client.json', example.clientJson(), 'json');
    shows('example mailing.json', example.mailingJson(), 'json');
  });

  it('sends products, recommendations and recipients', async () => {
    await sendProducts('20261121070000_products.csv', example.PRODUCTS);
    await sendProducts('20261121070000_recommendations.csv', example.RECOMMENDATIONS);
    await send(world, shop, FILE, example.recipientFile(broadmailId));
    await untilSent(world, shop, FILE);
    shows('example products', example.PRODUCTS);
    shows('example recommendations', example.RECOMMENDATIONS);
    shows('example recipients', example.recipientFile(broadmailId));
  });

  it('is told what became of them', async () => {
    const mails = await statusMails(5);
    shows('example status mails', mails.slice(2).join('\n---\n\n'));
    shows('example file log', await logOf(`${FILE}.log`, 'finished'));
  });

  it('gets back what the recipients did', async () => {
    await recipientsAct();
    await command('export', 'run', shop.directory);
    const names = await publishedNames();
    for (const kind of [
      'mailings',
      'mailingrecipients',
      'links',
      'clicks',
      'opens',
      'unsubscribes',
      'responses',
    ] as const)
      shows(`example ${kind}`, await published(names.get(kind)));
    shows('example manifest', await published(names.get('manifest')), 'json');
  });

  it('is told of an error, and restarts the file with corrected rows', async () => {
    await send(world, shop, FAULTY, example.faultyFile(broadmailId));
    await untilLies(world, shop, 'failed', FAULTY);
    const mails = await statusMails(6);
    shows('example faulty recipients', example.faultyFile(broadmailId));
    shows('example error.csv', (await errorsOf(world, shop, FAULTY)) ?? '');
    shows('example error.json', (await errorsOf(world, shop, FAULTY, 'json')) ?? '', 'json');
    shows('example error mail', mails[5] ?? '');
    expect(await haltOf(world, shop)).toMatchObject({ fileName: FAULTY });

    await send(world, shop, `${FAULTY}.restart`, example.correctedRows(broadmailId));
    await untilLies(world, shop, 'done', `${FAULTY}.restart`);
    await untilSent(world, shop, FAULTY);
    shows('example restart', example.correctedRows(broadmailId));
    shows('example restarted log', await logOf(`${FAULTY}.log`, 'finished'));
  });

  async function sendProducts(name: string, content: string): Promise<void> {
    await world.sftp.putAtomic(`${inboxPaths(shop.directory, 'products').inbox}/${name}`, Buffer.from(content));
    await world.producer.enqueue('inboxPoll', { v: 1, clientId: shop.id });
    await untilLies(world, shop, 'done', name, 'products');
  }

  /** Ada opens and clicks, Grace leaves, Alan's server sends his mail back. */
  async function recipientsAct(): Promise<void> {
    const [ada, grace] = await Promise.all([
      mailTo(world.stack.inbox, 'ada@shop.example'),
      mailTo(world.stack.inbox, 'grace@shop.example'),
    ]);
    const headers = { 'user-agent': FIREFOX };
    await fetch(ada.pixel, { headers });
    await untilRecorded('event', 1);
    await fetch(ada.clicks[0] ?? '', { headers, redirect: 'manual' });
    await untilRecorded('event', 2);
    await fetch(grace.unsubscribe, { method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) });
    await untilRecorded('event', 3);
    const alan = world.stack.inbox.journal().find(({ envelopeTo }) => envelopeTo.includes('alan@shop.example'));
    const returnPath = alan?.envelopeFrom ?? '';
    const failed = { recipient: 'alan@shop.example', status: '5.1.1', diagnostic: '550 5.1.1 User unknown' };
    await smtpSend(world.house.inboundUrl, { from: '', to: returnPath }, deliveryStatus(returnPath, [failed]));
    await untilRecorded('response', 1);
  }

  const untilRecorded = (table: 'event' | 'response', count: number) =>
    until(`${count} rows of ${table}`, async () => {
      const { rows } = await world.db.pool.query(`SELECT FROM ${table} WHERE client_id = $1`, [shop.id]);
      return rows.length >= count || undefined;
    });

  /** The first status mails of the client, as people see them. */
  async function statusMails(count: number): Promise<string[]> {
    const raws = await until(`${count} status mails`, async () => {
      const mails = world.stack.inbox
        .journal()
        .filter(({ type, envelopeTo }) => type === 'accepted' && envelopeTo.includes('ops@shop.example'));
      return mails.length >= count ? mails.map((mail) => world.stack.inbox.raw(mail)) : undefined;
    });
    const mails = await Promise.all(raws.map(readMail));
    return mails.map(({ email, text }) => `Subject: ${email.subject}\n\n${text.replaceAll('\r\n', '\n').trimEnd()}\n`);
  }

  const logOf = (name: string, last: string) =>
    until(`${name} tells that the mailing is ${last}`, async () => {
      const path = `${logsPath(shop.directory)}/${name}`;
      const text = (await world.sftp.stat(path)) ? (await world.sftp.readAll(path, 1 << 20)).toString() : '';
      return text.includes(last) ? text : undefined;
    });

  async function publishedNames(): Promise<Map<ResponseFileKind, string>> {
    const [run] = await selectExports(world.db.pool, shop.id);
    return new Map(run?.files.map(({ kind, name }) => [kind, name]));
  }

  const published = async (name = ''): Promise<string> =>
    (await world.sftp.readAll(`${exportPath(shop.directory)}/${name}`, 1 << 20)).toString();
});

/** A command that succeeds. @returns its JSON */
async function command<T>(...args: string[]): Promise<T> {
  const { code: exitCode, json, stderr } = await runCli([...args, '--json'], world.house.env);
  expect(exitCode, `${args.join(' ')}: ${stderr}${JSON.stringify(json)}`).toBe(0);
  return json as T;
}
