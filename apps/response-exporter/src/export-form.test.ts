import { gunzipSync } from 'node:zlib';
import { selectExports } from '@postloop/db';
import { describe, expect, test } from 'vitest';
import { linesOf, sha256Of } from './testing/file-text.js';
import { ANNA, CLIENT, DORA, recordOneOfEach } from './testing/finished-mailing.js';
import type { RunOptions } from './testing/run-exporter.js';
import { useExporter } from './testing/use-exporter.js';

const exporter = await useExporter();
const { fixture, exportWith } = exporter;

describe('the classic profile', () => {
  test('has exactly the columns of 2019', async () => {
    await recordOneOfEach(exporter.db);
    const files = await exportWith({ profile: 'classic', complaints: true });
    const rows = Object.entries(files).map(([name, text]) => [name.slice(9, -4), linesOf(text).slice(0, 2)]);
    expect(Object.fromEntries(rows)).toEqual({
      mailings: ['id;mailingGroupId;started;finished', '20000;5000;2026-07-01 10:00:00;2026-07-01 10:05:00'],
      mailingrecipients: ['mailingId;userId;created;response.category', '20000;anna@example.com;2026-07-01 10:01:00;'],
      links: ['mailingId;id;name;url', '20000;21000;pixel;""'],
      clicks: ['mailingId;userId;linkId;created', '20000;anna@example.com;23000;2026-07-01 10:12:00'],
      opens: ['mailingId;userId;created', '20000;anna@example.com;2026-07-01 10:11:00'],
      unsubscribes: ['mailingId;userId;created', '20000;bob@example.com;2026-07-01 10:14:00'],
      responses: [
        'mailingId;mailingToUserId;userId;category;created',
        `20000;${DORA};dora@example.com;fatal_bounce;2026-07-01 10:03:01`,
      ],
      complaints: ['mailingId;userId;created', ''],
    });
    // Personalised links, too, which no table holds.
    expect(files['20260702_links.csv']).toContain(`\n20000;${ANNA + 4n};Account;https://shop.example/a/Anna\n`);
  });
});

describe('the form of the files', () => {
  test('names, extension, and the number of the run before it', async () => {
    const settings = { name: 'acme-{kind}-{day}', extension: '.txt', gzip: true } as const;
    await exportWith(settings);
    const names = Object.keys(await exportWith(settings));
    expect(names).toContain('acme-clicks-20260702.txt.gz');
    expect(names).toContain('acme-clicks-20260702_2.txt.gz');
    expect(names).toHaveLength(14);
  });

  test.each([',', '\t', '|'] as const)('delimiter %j, and quotes where a value holds it', async (delimiter) => {
    await exporter.db.pool.query(`UPDATE link SET name = $1 WHERE id = 23000`, [`a${delimiter}b;c`]);
    const { '20260702_links.csv': links } = await exportWith({ delimiter });
    const fields = ['id', 'mailingId', 'mailingToUserId', 'mailingGroupId', 'name', 'url'];
    expect(linesOf(links)[0]).toBe(fields.join(delimiter));
    const shop = ['23000', '20000', '', '5000', `"a${delimiter}b;c"`, 'https://shop.example/?a=1&b=2'];
    expect(linesOf(links)).toContain(shop.join(delimiter));
    const account = [ANNA + 4n, 20000, ANNA, 5000, 'Account', 'https://shop.example/a/Anna'];
    expect(linesOf(links)).toContain(account.join(delimiter));
  });

  test('quotes always: every value, the header and the empty string too; NULL stays empty', async () => {
    const { '20260702_links.csv': links } = await exportWith({ quotes: 'always' });
    expect(linesOf(links).slice(0, 2)).toEqual([
      '"id";"mailingId";"mailingToUserId";"mailingGroupId";"name";"url"',
      '"21000";"20000";;"5000";"pixel";""',
    ]);
    expect(links).toContain(`\n"${ANNA + 4n}";"20000";"${ANNA}";"5000";"Account";"https://shop.example/a/Anna"\n`);
  });

  test('CRLF ends records; line breaks inside a value stay as they are', async () => {
    const { '20260702_links.csv': links = '' } = await exportWith({ lineBreak: 'crlf' });
    expect(links).toContain('\r\n23000;20000;;5000;"Shop;\n""now""";https://shop.example/?a=1&b=2\r\n');
    expect(links.replaceAll('\r\n', '').match(/\n/g)).toHaveLength(1);
  });

  test('without header row', async () => {
    const files = await exportWith({ header: false });
    expect(files['20260702_opens.csv']).toBe('');
    expect(files['20260702_mailings.csv']).toBe('20000;7000;5000;8000;2026-07-01 10:00:00;2026-07-01 10:05:00\n');
    const [recorded] = await selectExports(exporter.db.pool, CLIENT);
    expect(recorded?.files.find(({ kind }) => kind === 'mailings')?.rows).toBe(1);
  });

  test('UTF-8 with a byte order mark', async () => {
    await exportWith({ encoding: 'utf-8-bom' });
    const bytes = await fixture.exportedBytes('acme', '20260702_opens.csv');
    expect(bytes.subarray(0, 9)).toEqual(Buffer.from('\ufefflinkId'.slice(0, 7)));
  });

  test('ISO-8859-1: a character that it does not have becomes one ?, which is said and counted', async () => {
    await exporter.db.pool.query(`UPDATE link SET name = 'Größe, żółw 🐢 €' WHERE id = 23000`);
    const said: RunOptions['said'] = [];
    await exportWith({ encoding: 'iso-8859-1', manifest: true }, { said });
    const bytes = await fixture.exportedBytes('acme', '20260702_links.csv');
    expect(bytes.toString('latin1')).toContain(';Größe, ?ó?w ? ?;');
    expect(said.map(({ line }) => line)).toContain('characters that iso-8859-1 does not have are ? now');
    const manifest = JSON.parse((await fixture.exported('acme'))['20260702_manifest.json'] ?? '');
    expect(manifest.files.find((file: { kind: string }) => file.kind === 'links').replaced).toBe(4);
  });

  test('gzip: the same content, and the SHA-256 of the file as it lies there', async () => {
    const files = await exportWith({});
    await exporter.db.pool.query('UPDATE export SET from_ticket = -1, to_ticket = 0'); // tell all of it once more
    await exportWith({ gzip: true });
    for (const { kind, name, sha256, bytes } of (await selectExports(exporter.db.pool, CLIENT))[1]?.files ?? []) {
      const packed = await fixture.exportedBytes('acme', name);
      expect(gunzipSync(packed).toString()).toBe(files[`20260702_${kind}.csv`]);
      expect({ sha256, bytes }).toEqual({ sha256: sha256Of(packed), bytes: packed.length });
    }
  });
});
