import type { Row } from '@postloop/csv-dialect';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { balanceOf } from './support/balance.js';
import { CONTENT_HOST, type ContentServer, contentEnv, startContentServer } from './support/content-server.js';
import { send, untilLies } from './support/exchange.js';
import { mailTo } from './support/mail.js';
import { until } from './support/until.js';
import {
  addClient,
  openWorld,
  sendingApps,
  type TestClient,
  type TestSource,
  untilImported,
  untilSent,
  upload,
  type World,
} from './support/world.js';

let world: World;
let server: ContentServer;
beforeAll(async () => {
  server = await startContentServer();
  world = await openWorld({
    apps: sendingApps,
    env: { ...contentEnv, CONTENT_MAX_BYTES: '100000', BATCH_SIZE: '10' },
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(() => {
  server.hits.clear();
  server.answers.clear();
  server.gate = Promise.resolve();
});

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
/** Three fields hold URLs. */
const HTML = `<html><body><p>{{ Salutation | content_html }}</p><img src="{{ First name | picture }}" alt="yours">
{{ Last name | attachment }}<a href="{{ unsubscribe_url }}">leave</a></body></html>`;
const TEXT = '<html><body><p>[{{ Salutation | content }}]</p></body></html>';

const hosts = (...names: string[]) => ({ settings: { content: { hosts: names } } });
const open = (name: string, source: TestSource) => addClient(world, name, [source], hosts(CONTENT_HOST));

const row = (client: TestClient, name: string, ...urls: (string | null)[]): Row => [
  `${name}@${client.directory}.example`,
  String(client.sources[0]),
  null,
  urls[0] ?? null,
  urls[1] ?? null,
  urls[2] ?? null,
];
const mail = (client: TestClient, name: string) => mailTo(world.stack.inbox, `${name}@${client.directory}.example`);

async function reasonOf(mailings: readonly bigint[], name: string): Promise<[string, string | null]> {
  const { rows } = await world.db.pool.query(
    `SELECT d.status, d.reason FROM mailing_recipient r JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
      WHERE r.mailing_id = ANY($1) AND r.email LIKE $2 || '@%'`,
    [mailings, name],
  );
  return [rows[0]?.status, rows[0]?.reason];
}

describe('content that a field names by URL', () => {
  it('is in the mail: a fragment of HTML without what could do harm, a picture, a file', async () => {
    const client = await open('kinds', { html: HTML });
    const unsafe = '<b onclick="x()">Hi Ann</b><script>alert(1)</script>';
    server.answers.set('/ann.html', { type: 'text/html', body: unsafe });
    server.answers.set('/ann.png', { type: 'image/png', body: PNG });
    server.answers.set('/invoice.pdf', { type: 'application/pdf', body: '%PDF-1.7' });
    const { url } = server;
    const file = await upload(world, client, [
      row(client, 'ann', `${url}/ann.html`, `${url}/ann.png`, `${url}/invoice.pdf`),
      row(client, 'bob'),
    ]);
    await untilSent(world, client, file);
    const { html, email } = await mail(client, 'ann');
    expect(html).toContain('<b>Hi Ann</b>');
    expect(html).not.toMatch(/script|onclick/);
    expect(email.attachments.map(({ filename, mimeType }) => [filename ?? null, mimeType])).toEqual([
      [null, 'image/png'],
      ['invoice.pdf', 'application/pdf'],
    ]);
    expect(html).toContain(`src="cid:${email.attachments[0]?.contentId?.replace(/[<>]/g, '')}"`);
    expect((await mail(client, 'bob')).email.attachments).toEqual([]);
  });

  it('is fetched once for a mailing, whoever names it and however many workers send it', async () => {
    const client = await open('once', { html: TEXT });
    server.answers.set('/same', { body: 'same for all' });
    const release = hold();
    const first = world.house.app('sender-workers');
    await world.house.start('sender-workers');
    const names = Array.from({ length: 80 }, (_, i) => `p${i}`);
    const file = await upload(
      world,
      client,
      names.map((name) => row(client, name, `${server.url}/same`)),
    );
    await until('somebody fetches it', async () => server.hits.get('/same'));
    await until('several batches wait for it', async () => {
      const { rows } = await world.db.pool.query(
        `SELECT count(*) AS held FROM send_batch b JOIN mailing m ON m.id = b.mailing_id WHERE m.client_id = $1 AND b.status = 'claimed'`,
        [client.id],
      );
      return rows[0].held > 4n || undefined;
    });
    release();
    await untilSent(world, client, file);
    for (const name of names) expect((await mail(client, name)).html).toContain('[same for all]');
    expect([...server.hits]).toEqual([['/same', 1]]);
    await first.stop();
  });

  it('is that of its mailing: the next one fetches anew', async () => {
    const client = await open('anew', { html: TEXT });
    for (const [name, body] of [
      ['one', 'Monday'],
      ['two', 'Tuesday'],
    ] as const) {
      server.answers.set('/day', { body });
      await untilSent(world, client, await upload(world, client, [row(client, name, `${server.url}/day`)]));
      expect((await mail(client, name)).html).toContain(`[${body}]`);
    }
  });
});

describe('content that cannot be had', () => {
  const failures = (url: string): [string, string][] => [
    ['missing', `${url}/404`],
    ['large', `${url}/large`],
    ['foreign', 'http://elsewhere.example/x'],
    ['private', 'http://127.0.0.1:1/x'],
    ['scheme', 'file:///etc/passwd'],
  ];

  it('is left out, or has a text in its place; the others get theirs', async () => {
    const client = await addClient(
      world,
      'lenient',
      [{ html: TEXT }, { html: TEXT, rules: { missingContent: { default: 'n/a' } } }],
      hosts(CONTENT_HOST, '127.0.0.1'),
    );
    server.answers.set('/there', { body: 'there' });
    server.answers.set('/large', { body: 'x'.repeat(100_001) });
    const all: [string, string][] = [...failures(server.url), ['there', `${server.url}/there`]];
    const rows = all.flatMap(([name, url]) => [
      row(client, name, url),
      row(client, `d-${name}`, url).with(1, String(client.sources[1])),
    ]);
    await untilSent(world, client, await upload(world, client, rows));
    for (const [name] of failures(server.url)) {
      expect((await mail(client, name)).html, name).toContain('[]');
      expect((await mail(client, `d-${name}`)).html, name).toContain('[n/a]');
    }
    expect((await mail(client, 'there')).html).toContain('[there]');
  });

  it('keeps a mail from going out, if the mailing says so, and only that mail', async () => {
    const client = await open('strict', { html: TEXT, rules: { missingContent: 'do_not_send' } });
    const names = Array.from({ length: 25 }, (_, i) => `p${i}`);
    for (const name of names.slice(0, 24)) server.answers.set(`/${name}`, { body: name });
    const rows = names.map((name) => row(client, name, `${server.url}/${name}`));
    const mailings = await untilSent(world, client, await upload(world, client, rows));
    expect(await reasonOf(mailings, 'p24')).toEqual(['render_failed', expect.stringContaining('/p24')]);
    expect(await reasonOf(mailings, 'p23')).toEqual(['sent', null]);
    expect((await mail(client, 'p7')).html).toContain('[p7]');
  });
});

describe('a mailing that must not go without its content does not start', () => {
  const rules = { missingContent: 'do_not_send' } as const;

  it('when the server does not have it: told with line and column; after a restart it does', async () => {
    const client = await open('required', { html: TEXT, rules });
    server.answers.set('/a', { body: 'a' });
    const file = await upload(world, client, [
      row(client, 'a', `${server.url}/a`),
      row(client, 'b', `${server.url}/b`),
    ]);
    expect(await untilImported(world, client, file)).toMatchObject({
      status: 'failed',
      faults: [{ code: 'content', line: 2, column: 4, message: expect.stringContaining('status 404') }],
    });
    await untilLies(world, client, 'failed', file);
    await expect(mail(client, 'a')).rejects.toThrow('no mail');
    server.answers.set('/b', { body: 'b' });
    await send(world, client, `${file}.restart`);
    await until('it starts', async () => (await untilImported(world, client, file)).status === 'started' || undefined);
    await untilSent(world, client, file);
    expect((await mail(client, 'b')).html).toContain('[b]');
  });

  it('when its host is not on the client’s list, wherever in the file it stands', async () => {
    const client = await addClient(world, 'unlisted', [{ html: TEXT, rules }], hosts('cdn.shop.example'));
    const rows = Array.from({ length: 40 }, (_, i) => row(client, `p${i}`, `https://cdn.shop.example/${i}`));
    const file = await upload(world, client, [...rows, row(client, 'x', 'https://other.example/x')]);
    expect(await untilImported(world, client, file)).toMatchObject({
      faults: [
        {
          line: 41,
          column: 4,
          message: expect.stringContaining('other.example'),
          remedy: expect.stringContaining('content.hosts'),
        },
      ],
    });
  });

  it('when the client allows no host at all, whatever the rule', async () => {
    const client = await addClient(world, 'no-hosts', [{ html: TEXT }]);
    const file = await upload(world, client, [row(client, 'a', `${server.url}/a`)]);
    expect(await untilImported(world, client, file)).toMatchObject({
      status: 'failed',
      faults: [{ code: 'content', line: null, remedy: expect.stringContaining('client.json') }],
    });
  });
});

it('a worker that is lost between fetching and keeping holds nobody up: another fetches, each gets one mail', async () => {
  const client = await open('lost', { html: TEXT });
  await world.house.app('sender-workers').stop();
  const doomed = await world.house.start('sender-workers', { killPoint: 'sender.before-keep-content:3' });
  const names = Array.from({ length: 30 }, (_, i) => `p${i}`);
  for (const name of names) server.answers.set(`/${name}`, { body: name });
  const file = await upload(
    world,
    client,
    names.map((name) => row(client, name, `${server.url}/${name}`)),
  );
  await doomed.exited;
  await world.house.start('sender-workers');
  const mailings = await untilSent(world, client, file);
  for (const name of names) expect((await mail(client, name)).html).toContain(`[${name}]`);
  expect(await balanceOf(world, mailings)).toEqual({ missing: 0, twice: 0, unknown: 0 });
});

/** The server answers only when this is called. */
function hold(): () => void {
  let release = () => {};
  server.gate = new Promise((resolve) => {
    release = resolve;
  });
  return release;
}
