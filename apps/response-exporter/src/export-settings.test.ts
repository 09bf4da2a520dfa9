import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { WrittenClientSettings } from '@postloop/contracts';
import { type Database, selectExports } from '@postloop/db';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ExporterFixture, startExporterFixture } from './testing/exporter-fixture.js';
import {
  ANNA,
  BOB,
  CARL,
  CLIENT,
  choose,
  DORA,
  insertFinishedMailing,
  makeEvent,
  nameFields,
  recordComplaint,
  recordEvents,
} from './testing/finished-mailing.js';
import { type RunOptions, runExporter } from './testing/run-exporter.js';

let fixture: ExporterFixture;
let db: Database;
beforeAll(async () => {
  fixture = await startExporterFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  db = await fixture.newDatabase();
  await insertFinishedMailing(db);
  await fixture.emptyExports('acme');
});

const run = (options: RunOptions = {}) => runExporter(fixture, db, options);

/** One run with these settings. @returns the files' text by name */
async function exportWith(settings: WrittenClientSettings['export'], options: RunOptions = {}) {
  await choose(db, { export: settings });
  await run(options);
  return fixture.exported('acme');
}

const recordOneOfEach = () =>
  recordEvents(
    db,
    makeEvent('open', ANNA, 1, '2026-07-01T08:11:00Z'),
    makeEvent('click', ANNA, 3, '2026-07-01T08:12:00Z'),
    makeEvent('unsubscribe', BOB, 2, '2026-07-01T08:14:00Z'),
  );

const linesOf = (text = '') => text.split('\n');

describe('the classic profile', () => {
  test('has exactly the columns of 2019', async () => {
    await recordOneOfEach();
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
    await db.pool.query(`UPDATE link SET name = $1 WHERE id = 23000`, [`a${delimiter}b;c`]);
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
    const [recorded] = await selectExports(db.pool, CLIENT);
    expect(recorded?.files.find(({ kind }) => kind === 'mailings')?.rows).toBe(1);
  });

  test('UTF-8 with a byte order mark', async () => {
    await exportWith({ encoding: 'utf-8-bom' });
    const bytes = await fixture.exportedBytes('acme', '20260702_opens.csv');
    expect(bytes.subarray(0, 9)).toEqual(Buffer.from('\ufefflinkId'.slice(0, 7)));
  });

  test('ISO-8859-1: a character that it does not have becomes one ?, which is said and counted', async () => {
    await db.pool.query(`UPDATE link SET name = 'Größe, żółw 🐢 €' WHERE id = 23000`);
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
    await db.pool.query('UPDATE export SET from_ticket = -1, to_ticket = 0'); // tell all of it once more
    await exportWith({ gzip: true });
    for (const { kind, name, sha256, bytes } of (await selectExports(db.pool, CLIENT))[1]?.files ?? []) {
      const packed = await fixture.exportedBytes('acme', name);
      expect(gunzipSync(packed).toString()).toBe(files[`20260702_${kind}.csv`]);
      expect({ sha256, bytes }).toEqual({ sha256: sha256Of(packed), bytes: packed.length });
    }
  });
});

const sha256Of = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

describe('what is told', () => {
  test('a mailing when it has started, too, for who wants that: its log and links only when it is finished', async () => {
    await run();
    await db.pool.query(`
      INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status) VALUES (11000, 5000, 'import', 'b.csv', 1, now(), 'imported');
      INSERT INTO mailing (id, client_id, import_id, source_mailing_id, campaign_id, recipient_list_id, name, test)
        VALUES (30000, 5000, 11000, 6000, 7000, 8000, 'second', false);
      INSERT INTO mailing_recipient (mailing_id, id, line, email, fields, status) VALUES (30000, 31000, 1, 'eve@example.com', '{}', 'queued');
      UPDATE mailing SET status = 'sending', started_at = '2026-07-01 09:00:00Z' WHERE id = 30000`);
    const started = await exportWith({ whenStarted: true });
    expect(linesOf(started['20260702_mailings_2.csv'])[1]).toBe('30000;7000;5000;8000;2026-07-01 11:00:00;');
    expect(linesOf(started['20260702_mailingrecipients_2.csv'])[1]).toBe('');

    await db.pool.query(
      `UPDATE mailing SET status = 'finished', finished_at = '2026-07-01 09:10:00Z', finished_ticket = take_ticket(5000) WHERE id = 30000`,
    );
    const finished = await exportWith({ whenStarted: true });
    expect(linesOf(finished['20260702_mailings_3.csv'])[1]).toBe(
      '30000;7000;5000;8000;2026-07-01 11:00:00;2026-07-01 11:10:00',
    );
    expect(linesOf(finished['20260702_mailingrecipients_3.csv'])[1]).toContain('31000;30000;5000;eve@example.com;');
    const after = await exportWith({ whenStarted: true });
    expect(after['20260702_mailings_4.csv']).toBe(`${linesOf(finished['20260702_mailings_3.csv'])[0]}\n`);
  });

  test('opens and clicks of mailings without a campaign are left out for who wants that; the rest is told', async () => {
    await db.pool.query('UPDATE mailing SET campaign_id = NULL');
    await recordOneOfEach();
    await choose(db, { export: { withoutCampaign: 'leave_out' } });
    const rows = Object.fromEntries(((await run()) ?? []).map((file) => [file.kind, file.rows]));
    expect(rows).toEqual({
      mailings: 1,
      mailingrecipients: 4,
      links: 5,
      clicks: 0,
      opens: 0,
      unsubscribes: 1,
      responses: 1,
    });
  });

  test('complaints in a file of their own, and among the responses as ever', async () => {
    await recordComplaint(db);
    const files = await exportWith({ complaints: true });
    expect(files['20260702_complaints.csv']).toBe(
      `mailingId;mailingToUserId;mailingGroupId;userId;created\n20000;${ANNA};5000;anna@example.com;2026-07-01 10:30:00\n`,
    );
    expect(linesOf(files['20260702_responses.csv'])).toContain(
      `20000;${ANNA};5000;anna@example.com;2026-07-01 10:30:00;unknown`,
    );
  });

  test('a manifest lists the files with rows, bytes and SHA-256, and the bounds of the run', async () => {
    await recordOneOfEach();
    const files = await exportWith({ manifest: true });
    const manifest = JSON.parse(files['20260702_manifest.json'] ?? '');
    const [recorded] = await selectExports(db.pool, CLIENT);
    expect(manifest).toMatchObject({
      schemaVersion: 1,
      exportId: String(recorded?.id),
      clientId: '5000',
      day: '20260702',
      runOfDay: 1,
      profile: 'current',
      watermark: { from: '0', to: String(recorded?.toTicket) },
    });
    expect(manifest.files).toHaveLength(7);
    for (const { name, rows, bytes, sha256 } of manifest.files) {
      const text = files[name] ?? '';
      expect(sha256).toBe(sha256Of(text));
      expect(bytes).toBe(Buffer.byteLength(text));
      expect(typeof rows).toBe('number');
    }
    expect(recorded?.files.at(-1)?.kind).toBe('manifest');
  });

  test('nothing, and no run, while the export module is off', async () => {
    await choose(db, { modules: { export: false } });
    expect(await run()).toBeUndefined();
    expect(await selectExports(db.pool, CLIENT)).toEqual([]);
    // What the import module does has nothing to do with it.
    await choose(db, { modules: { import: false } });
    expect(await run()).toHaveLength(7);
  });
});

describe('the sending log', () => {
  /** A recipient of the mailing as it came in, what a sender made of it, what came back. */
  const CASES = [
    ['queued', null, 'sent', null, [], 'sent;delivered;'],
    ['queued', null, 'sent', null, ['autoresponder'], 'sent;delivered;autoresponder'],
    ['queued', null, 'sent', null, ['unknown'], 'sent;delivered;unknown'],
    ['queued', null, 'sent', null, ['temporary_bounce'], 'sent;bounced;temporary_bounce'],
    ['queued', null, 'sent', null, ['fatal_bounce', 'autoresponder'], 'sent;bounced;fatal_bounce'],
    ['queued', null, 'sent', null, ['unknown', 'bounce', 'temporary_bounce'], 'sent;bounced;bounce'],
    ['queued', null, 'unknown', null, [], 'sending;unknown;'],
    ['queued', null, 'in_flight', null, [], 'sending;unknown;'],
    ['queued', null, 'could_not_be_sent', '550', ['fatal_bounce'], 'could_not_be_sent;failed;fatal_bounce'],
    ['queued', null, 'render_failed', 'x', [], 'could_not_be_sent;failed;'],
    ['queued', null, 'suppressed', 'too_many_bounces', [], 'could_not_be_sent;too_many_bounces;'],
    ['queued', null, null, null, [], 'could_not_be_sent;failed;'],
    ['suppressed', 'blacklisted', null, null, [], 'could_not_be_sent;blacklisted;'],
    ['suppressed', 'unsubscribed', null, null, [], 'could_not_be_sent;unsubscribed;'],
    ['suppressed', 'complaint', null, null, [], 'could_not_be_sent;complaint;'],
    ['invalid', 'address:1', null, null, [], undefined],
    ['duplicate', null, null, null, [], undefined],
  ] as const;

  test.each(CASES)('%s (%s), delivery %s (%s), responses %j: %s', async (status, reason, delivery, why, came, told) => {
    await db.pool.query('DELETE FROM mailing_recipient; DELETE FROM delivery; DELETE FROM response');
    await db.pool.query(
      `INSERT INTO mailing_recipient (mailing_id, id, line, email, fields, status, reason) VALUES (20000, $1, 1, 'a@b.example', '{}', $2, $3)`,
      [CARL, status, reason],
    );
    if (delivery)
      await db.pool.query(
        `INSERT INTO delivery (mailing_id, recipient_id, attempt_id, status, reason) VALUES (20000, $1, 1, $2, $3)`,
        [CARL, delivery, why],
      );
    for (const category of came)
      await db.pool.query(
        `INSERT INTO response (mailing_id, client_id, ticket, recipient_id, category, rule, occurred_at) VALUES (20000, 5000, take_ticket(5000), $1, $2, '', now())`,
        [CARL, category],
      );
    await run();
    const [, row] = linesOf((await fixture.exported('acme'))['20260702_mailingrecipients.csv']);
    expect(row?.split(';').slice(5).join(';') || undefined).toBe(told);
  });
});

describe('extra columns', () => {
  const HOSTILE = `x"; DROP TABLE event; --`;
  const LONG = `${'Größe '.repeat(20)}in cm`;

  beforeEach(async () => {
    await nameFields(db, 'Email', 'BROADMAIL_ID', HOSTILE, LONG);
    await db.pool.query('UPDATE mailing_recipient SET wave_id = 46623317811');
    await recordOneOfEach();
    await recordComplaint(db);
  });

  test('follow the others in the order named, each in the files where it makes sense', async () => {
    const files = await exportWith({
      profile: 'classic',
      complaints: true,
      extraColumns: ['verdict', 'waveId', 'eventId', HOSTILE, 'sourceMailingId'],
    });
    const hostile = '"x""; DROP TABLE event; --"';
    const headers = Object.entries(files).map(([name, text]) => [name.slice(9, -4), linesOf(text)[0]]);
    expect(Object.fromEntries(headers)).toEqual({
      mailings: 'id;mailingGroupId;started;finished;sourceMailingId',
      mailingrecipients: `mailingId;userId;created;response.category;waveId;${hostile};sourceMailingId`,
      links: 'mailingId;id;name;url;sourceMailingId',
      clicks: `mailingId;userId;linkId;created;verdict;waveId;eventId;${hostile};sourceMailingId`,
      opens: `mailingId;userId;created;verdict;waveId;eventId;${hostile};sourceMailingId`,
      unsubscribes: `mailingId;userId;created;verdict;waveId;eventId;${hostile};sourceMailingId`,
      responses: `mailingId;mailingToUserId;userId;category;created;waveId;eventId;${hostile};sourceMailingId`,
      complaints: `mailingId;userId;created;waveId;eventId;${hostile};sourceMailingId`,
    });
    expect(files['20260702_clicks.csv']).toMatch(/;human;46623317811;00000000-[0-9a-f-]{27};Anna;6000\n$/);
    expect(files['20260702_links.csv']).toContain(`\n20000;${ANNA + 4n};Account;https://shop.example/a/Anna;6000\n`);
    expect(files['20260702_complaints.csv']).toContain(';46623317811;777000;Anna;6000\n');
  });

  test('have their whole name in the header, and values are data, whatever they are', async () => {
    await db.pool.query(`UPDATE mailing_recipient SET fields[4] = E'a;"b"\n' WHERE id = ${BOB}`);
    const files = await exportWith({ profile: 'classic', extraColumns: [LONG] });
    const log = files['20260702_mailingrecipients.csv'];
    expect(linesOf(log)[0]).toBe(`mailingId;userId;created;response.category;${LONG}`);
    expect(log).toContain('bob@example.com;2026-07-01 10:02:00;;"a;""b""\n"\n');
  });

  test('that name no field of the list are empty, so that the others keep their places', async () => {
    const files = await exportWith({ profile: 'classic', extraColumns: ['No such field', 'waveId'] });
    expect(linesOf(files['20260702_opens.csv']).slice(0, 2)).toEqual([
      'mailingId;userId;created;No such field;waveId',
      '20000;anna@example.com;2026-07-01 10:11:00;;46623317811',
    ]);
  });
});
