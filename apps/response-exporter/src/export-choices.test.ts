import { selectExports } from '@postloop/db';
import { describe, expect, test } from 'vitest';
import { linesOf, sha256Of } from './testing/file-text.js';
import { ANNA, CARL, CLIENT, choose, recordComplaint, recordOneOfEach } from './testing/finished-mailing.js';
import { useExporter } from './testing/use-exporter.js';

const exporter = await useExporter();
const { fixture, run, exportWith } = exporter;

describe('what is told', () => {
  test('a mailing when it has started, too, for who wants that: its log and links only when it is finished', async () => {
    await run();
    await exporter.db.pool.query(`
      INSERT INTO import (id, client_id, directory, file_name, size, modified_at, status) VALUES (11000, 5000, 'import', 'b.csv', 1, now(), 'imported');
      INSERT INTO mailing (id, client_id, import_id, source_mailing_id, campaign_id, recipient_list_id, name, test)
        VALUES (30000, 5000, 11000, 6000, 7000, 8000, 'second', false);
      INSERT INTO mailing_recipient (mailing_id, id, line, email, fields, status) VALUES (30000, 31000, 1, 'eve@example.com', '{}', 'queued');
      UPDATE mailing SET status = 'sending', started_at = '2026-07-01 09:00:00Z' WHERE id = 30000`);
    const started = await exportWith({ whenStarted: true });
    expect(linesOf(started['20260702_mailings_2.csv'])[1]).toBe('30000;7000;5000;8000;2026-07-01 11:00:00;');
    expect(linesOf(started['20260702_mailingrecipients_2.csv'])[1]).toBe('');

    await exporter.db.pool.query(
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
    await exporter.db.pool.query('UPDATE mailing SET campaign_id = NULL');
    await recordOneOfEach(exporter.db);
    await choose(exporter.db, { export: { withoutCampaign: 'leave_out' } });
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
    await recordComplaint(exporter.db);
    const files = await exportWith({ complaints: true });
    expect(files['20260702_complaints.csv']).toBe(
      `mailingId;mailingToUserId;mailingGroupId;userId;created\n20000;${ANNA};5000;anna@example.com;2026-07-01 10:30:00\n`,
    );
    expect(linesOf(files['20260702_responses.csv'])).toContain(
      `20000;${ANNA};5000;anna@example.com;2026-07-01 10:30:00;unknown`,
    );
  });

  test('a manifest lists the files with rows, bytes and SHA-256, and the bounds of the run', async () => {
    await recordOneOfEach(exporter.db);
    const files = await exportWith({ manifest: true });
    const manifest = JSON.parse(files['20260702_manifest.json'] ?? '');
    const [recorded] = await selectExports(exporter.db.pool, CLIENT);
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
    await choose(exporter.db, { modules: { export: false } });
    expect(await run()).toBeUndefined();
    expect(await selectExports(exporter.db.pool, CLIENT)).toEqual([]);
    // What the import module does has nothing to do with it.
    await choose(exporter.db, { modules: { import: false } });
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
    await exporter.db.pool.query('DELETE FROM mailing_recipient; DELETE FROM delivery; DELETE FROM response');
    await exporter.db.pool.query(
      `INSERT INTO mailing_recipient (mailing_id, id, line, email, fields, status, reason) VALUES (20000, $1, 1, 'a@b.example', '{}', $2, $3)`,
      [CARL, status, reason],
    );
    if (delivery)
      await exporter.db.pool.query(
        `INSERT INTO delivery (mailing_id, recipient_id, attempt_id, status, reason) VALUES (20000, $1, 1, $2, $3)`,
        [CARL, delivery, why],
      );
    for (const category of came)
      await exporter.db.pool.query(
        `INSERT INTO response (mailing_id, client_id, ticket, recipient_id, category, rule, occurred_at) VALUES (20000, 5000, take_ticket(5000), $1, $2, '', now())`,
        [CARL, category],
      );
    await run();
    const [, row] = linesOf((await fixture.exported('acme'))['20260702_mailingrecipients.csv']);
    expect(row?.split(';').slice(5).join(';') || undefined).toBe(told);
  });
});
