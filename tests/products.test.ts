import type { Row } from '@postloop/csv-dialect';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorsOf, haltOf, lay, poll, send, untilLies } from './support/exchange.js';
import { mailTo } from './support/mail.js';
import { until } from './support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  runExport,
  sendingApps,
  type TestClient,
  untilImported,
  untilSent,
  upload,
  type World,
} from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld({ apps: [...sendingApps, 'response-exporter'], env: { BATCH_SIZE: '5' } });
});
afterAll(() => world[Symbol.asyncDispose]());

/** The field "Salutation" holds product IDs, "Last name" the product that others go with. */
const HTML = `<html><body>
{% for p in Salutation | products limit: 3 %}<a href="{{ p.link }}?to={{ First name }}"><img src="{{ p.image }}" alt="">{{ p.name }}, {{ p.price | number: 2, "de" }} EUR, {{ p["delivery time"] }}</a>
{% else %}<p>nothing for you</p>{% endfor %}
{% for p in Last name | recommendations: 2 %}<i>{{ p.name }}</i>{% endfor %}
<a href="{{ unsubscribe_url }}">leave</a></body></html>`;

const HEADER = ['id', 'Name', 'Delivery time', 'image', 'link', 'price'];
const product = (id: string, name: string, price = '19.9'): Row => [
  id,
  name,
  null,
  `https://img.shop.example/${id}.png`,
  `https://shop.example/p/${id}`,
  price,
];
const FEED = [HEADER, product('001', 'Slippers'), product('002', 'Jacket; "wet"', '1129'), product('003', 'Flask')];
const MAPS = [
  ['id', 'recommended'],
  ['001', '003,777, 002'],
  ['001', '900'],
];

let second = 0;
/** Uploads a product file and waits until it is stored. */
async function feed(client: TestClient, rows: readonly Row[], kind = 'products'): Promise<string> {
  const name = await layFeed(client, rows, kind);
  expect(await untilImported(world, client, name)).toMatchObject({ status: 'stored', faults: null });
  await untilLies(world, client, 'done', name, 'products');
  return name;
}

async function layFeed(client: TestClient, rows: readonly Row[], kind = 'products'): Promise<string> {
  second += 1;
  const name = `20260101${String(100_000 + second).slice(-6)}_${kind}.csv`;
  await lay(world, client, name, rows, 'products');
  await poll(world, client);
  return name;
}

const row = (client: TestClient, name: string, ids: string | null, anchor: string | null = null): Row => [
  `${name}@${client.directory}.example`,
  String(client.sources[0]),
  null,
  ids,
  name,
  anchor,
];

const shown = async (client: TestClient, name: string) =>
  (await mailTo(world.stack.inbox, `${name}@${client.directory}.example`)).html;

async function statusesOf(mailingIds: readonly bigint[]): Promise<Record<string, [string, string | null]>> {
  const { rows } = await world.db.pool.query(
    `SELECT split_part(r.email, '@', 1) AS name, d.status, d.reason FROM mailing_recipient r JOIN delivery d ON d.recipient_id = r.id
      WHERE r.mailing_id = ANY($1)`,
    [mailingIds],
  );
  return Object.fromEntries(rows.map(({ name, status, reason }) => [name, [status, reason]]));
}

describe('mails show product data', () => {
  it('of the products that a field names (way A), and of those that go with one (way B)', async () => {
    const client = await addClient(world, 'ways', [{ html: HTML }]);
    await feed(client, FEED);
    await feed(client, MAPS, 'recommendations');
    const file = await upload(world, client, [
      row(client, 'a', '002, 001', '001'),
      row(client, 'b', null, '002'),
      row(client, 'c', '001,404'),
    ]);
    await untilSent(world, client, file);
    const mail = await shown(client, 'a');
    expect(mail).toMatch(/Jacket; &quot;wet&quot;, 1\.129,00 EUR, <.*\n.*Slippers, 19,90 EUR/);
    expect(mail).toContain('src="https://img.shop.example/002.png"');
    expect(mail).toContain('<i>Flask</i><i>Jacket; &quot;wet&quot;</i>');
    expect(await shown(client, 'b')).toMatch(/nothing for you[^<]*<\/p>\s*<a/);
    expect(await shown(client, 'c')).toContain('Slippers');

    const { links } = await runExport(world, client);
    const personal = links.filter((link) => link.mailingToUserId !== null).map(({ url }) => url);
    expect(personal.sort()).toEqual([
      'https://shop.example/p/001?to=a',
      'https://shop.example/p/001?to=c',
      'https://shop.example/p/002?to=a',
    ]);
  });

  it('by the rule of the mailing: who must not go without a product gets no mail', async () => {
    const client = await addClient(world, 'rules', [
      { html: HTML, rules: { missingProduct: 'do_not_send' } },
      { html: HTML, rules: { missingProduct: { default: '003' } } },
    ]);
    await feed(client, FEED);
    const html = HTML.replace(/\{% for p in Last name.*endfor %\}/, '');
    await world.db.pool.query('UPDATE source_mailing SET body = $2 WHERE id = ANY($1)', [client.sources, html]);
    const strict = [row(client, 'has', '001'), row(client, 'lacks', '404')];
    const lenient = row(client, 'default', '404').with(1, String(client.sources[1]));
    const mailings = await untilSent(world, client, await upload(world, client, [...strict, lenient]));
    expect(await statusesOf(mailings)).toEqual({
      has: ['sent', null],
      lacks: ['render_failed', expect.stringContaining('404')],
      default: ['sent', null],
    });
    expect(await shown(client, 'default')).toContain('Flask');
  });
});

describe('a new file of products', () => {
  it('leaves a mailing that runs alone: all of its mails show the old ones, the next mailing the new', async () => {
    const client = await addClient(
      world,
      'versions',
      [{ html: '<html><body>{% for p in Salutation | products %}{{ p.name }}{% endfor %}</body></html>' }],
      {
        settings: { sending: { mailsPerSecond: 8 } },
      },
    );
    await feed(client, [
      ['id', 'name'],
      ['1', 'OLD'],
      ['2', 'GONE'],
    ]);
    const rows = rowsFor(client, 40).map((one, i) => one.with(3, i % 2 === 0 ? '1' : '2'));
    const file = await upload(world, client, rows);
    await until(
      'the first mail is there',
      async () =>
        world.stack.inbox
          .journal()
          .some(({ envelopeTo }) => envelopeTo.some((to) => to.endsWith('@versions.example'))) || undefined,
    );
    await feed(client, [
      ['id', 'name'],
      ['1', 'NEW'],
    ]);
    const sent = () =>
      world.stack.inbox
        .journal()
        .filter(({ type, envelopeTo }) => type === 'accepted' && envelopeTo[0]?.endsWith('@versions.example')).length;
    expect(sent(), 'the mailing was over before the second file').toBeLessThan(40);
    await untilSent(world, client, file);
    for (let i = 0; i < 40; i += 1) expect(await shown(client, `p${i}`)).toContain(i % 2 === 0 ? 'OLD' : 'GONE');

    const next = [row(client, 'next', '1')];
    await untilSent(world, client, await upload(world, client, next));
    expect(await shown(client, 'next')).toContain('NEW');
  });

  it('that is bad is told with line and column; products/ takes no more until it is given up, import/ goes on', async () => {
    const client = await addClient(world, 'bad-feed', [{ html: '<html><body>{{ Salutation }}</body></html>' }]);
    const name = await layFeed(client, [HEADER, product('', 'Nameless'), product('2,3', 'Two')]);
    expect(await untilImported(world, client, name)).toMatchObject({
      status: 'failed',
      faults: [
        { code: 'bad_value', line: 2, column: 1 },
        { code: 'bad_value', line: 3, column: 1 },
      ],
    });
    await untilLies(world, client, 'failed', name, 'products');
    expect(await errorsOf(world, client, name)).toContain('Nameless');
    expect(await haltOf(world, client)).toMatchObject({ directory: 'products', fileName: name });
    await untilSent(world, client, await upload(world, client, [row(client, 'on', 'Ms')]));

    const waiting = await layFeed(client, FEED);
    await lay(world, client, `${name}.skip`, '', 'products');
    await poll(world, client);
    expect(await untilImported(world, client, waiting)).toMatchObject({ status: 'stored' });
  });

  it.each([
    ['twice the same column', [['id', 'a', 'A ']], 'header', 3],
    ['no id', [['name', 'id']], 'header', 1],
    ['a row that is too short', [['id', 'a'], ['1']], 'column_count', null],
  ] as const)('%s', async (what, rows, code, column) => {
    const client = await addClient(world, `feed-${what.replaceAll(' ', '-')}`, [{}], {
      settings: { onError: { halt: false } },
    });
    const name = await layFeed(client, rows as unknown as Row[]);
    const { status, faults } = await untilImported(world, client, name);
    expect([status, faults?.[0]?.code]).toEqual(['failed', code]);
    if (column !== null) expect(faults?.[0]?.column).toBe(column);
  });
});

it('no product data: the mailing does not start, says how to go on, and does once they are there', async () => {
  const client = await addClient(world, 'no-feed', [{ html: HTML }]);
  const file = await upload(world, client, [row(client, 'late', '001')]);
  expect(await untilImported(world, client, file)).toMatchObject({
    status: 'failed',
    faults: [
      { code: 'product_data', remedy: expect.stringContaining('_products.csv') },
      { code: 'product_data', remedy: expect.stringContaining('_recommendations.csv') },
    ],
  });
  await untilLies(world, client, 'failed', file);
  await feed(client, FEED);
  await feed(client, MAPS, 'recommendations');
  await send(world, client, `${file}.restart`);
  await until('the file is taken up again', async () => {
    const report = await untilImported(world, client, file);
    return report.status === 'started' || undefined;
  });
  await untilSent(world, client, file);
  expect(await shown(client, 'late')).toContain('Slippers');
});

it('an importer that is killed while it reads product data leaves them to the next, whole', async () => {
  const client = await addClient(world, 'killed-feed', [{ html: HTML }]);
  await world.house.app('importer').stop();
  const doomed = await world.house.start('importer', { killPoint: 'importer.after-copy' });
  const name = await layFeed(client, FEED);
  await doomed.exited;
  await world.house.start('importer');
  expect(await untilImported(world, client, name)).toMatchObject({ status: 'stored', rows: 3n });
  await untilLies(world, client, 'done', name, 'products');
  const { rows } = await world.db.pool.query(
    `SELECT v.rows, (SELECT count(*) FROM product p WHERE p.version_id = v.id) AS products,
            (SELECT count(*) FROM pg_class WHERE relname LIKE 'product\\_staging%') AS staged
       FROM product_version v WHERE v.client_id = $1`,
    [client.id],
  );
  expect(rows).toEqual([{ rows: 3n, products: 3n, staged: 0n }]);
});
