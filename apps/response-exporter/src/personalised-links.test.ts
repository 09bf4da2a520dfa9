import { type Database, insertMailingContent } from '@postloop/db';
import { compileMail } from '@postloop/mail-domain';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ExporterFixture, startExporterFixture } from './testing/exporter-fixture.js';
import { ANNA, BOB, insertFinishedMailing, MAILING } from './testing/finished-mailing.js';
import { runExporter } from './testing/run-exporter.js';

let fixture: ExporterFixture;
beforeAll(async () => {
  fixture = await startExporterFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** The mailing's content as a mailing factory freezes it. Its fields: address, BROADMAIL_ID, name (Bob has none), page. */
async function freeze(db: Database, html: string): Promise<void> {
  await db.pool.query('DELETE FROM link');
  await db.pool.query('DELETE FROM mailing_content');
  const fields = ['Email', 'BROADMAIL_ID', 'Name', 'Page'];
  const headers = { subject: 's', fromName: 's', fromAddress: 's@shop.example', replyTo: null };
  const program = compileMail({ fields, ...headers, html, text: 't', linkTracking: true });
  await insertMailingContent(db.pool, MAILING, { contentHash: Buffer.alloc(32), source: {}, program });
}

test('the links file has the links that each mail had: by its blocks, a row for every round of a loop', async () => {
  const db = await fixture.newDatabase();
  await insertFinishedMailing(db);
  await freeze(
    db,
    `{% if Name %}<a href="https://shop.example/{{ Name }}">Hello</a>{% endif %}
     {% for size in "S,M" | split: "," limit: 3 %}<a href="https://shop.example/?s={{ size }}" data-link-name="Size">x</a>{% endfor %}
     <a href="{{ Page }}">Page</a> <a href="{{ web_version_url }}">Web</a>`,
  );
  await runExporter(fixture, db);

  const links = (await fixture.exported('acme'))['20260702_links.csv'] ?? '';
  const personalised = links.split('\n').filter((row) => row.includes(';20000;9007'));
  const rows = (recipient: bigint, of: [number, string, string][]) =>
    of.map(([ordinal, name, url]) => `${recipient + BigInt(ordinal)};20000;${recipient};5000;${name};${url}`);
  const sizes: [number, string, string][] = [
    [4, 'Size', 'https://shop.example/?s=S'],
    [5, 'Size', 'https://shop.example/?s=M'],
  ];
  expect(personalised).toEqual([
    ...rows(ANNA, [[3, 'Hello', 'https://shop.example/Anna'], ...sizes, [7, 'Page', 'https://anna.example/']]),
    ...rows(BOB, sizes),
  ]);
  // Pixel only: the link to the web version is neither counted nor exported.
  expect(links.split('\n').filter((row) => row !== '' && !personalised.includes(row))).toHaveLength(2);
});
