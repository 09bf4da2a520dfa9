import { beforeEach, describe, expect, test } from 'vitest';
import { linesOf } from './testing/file-text.js';
import { ANNA, BOB, nameFields, recordComplaint, recordOneOfEach } from './testing/finished-mailing.js';
import { useExporter } from './testing/use-exporter.js';

const exporter = await useExporter();
const { exportWith } = exporter;

describe('extra columns', () => {
  const HOSTILE = `x"; DROP TABLE event; --`;
  const LONG = `${'Größe '.repeat(20)}in cm`;

  beforeEach(async () => {
    await nameFields(exporter.db, 'Email', 'BROADMAIL_ID', HOSTILE, LONG);
    await exporter.db.pool.query('UPDATE mailing_recipient SET wave_id = 46623317811');
    await recordOneOfEach(exporter.db);
    await recordComplaint(exporter.db);
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
    await exporter.db.pool.query(`UPDATE mailing_recipient SET fields[4] = E'a;"b"\n' WHERE id = ${BOB}`);
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
