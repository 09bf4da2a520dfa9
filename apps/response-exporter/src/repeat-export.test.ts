import {
  type ExportRun,
  insertResponses,
  recordDeliveries,
  recycleRecipients,
  repeatExport,
  selectExports,
} from '@postloop/db';
import { beforeEach, expect, test } from 'vitest';
import {
  ANNA,
  BOB,
  CLIENT,
  choose,
  DORA,
  MAILING,
  makeEvent,
  nameFields,
  nameMasterFields,
  recordComplaint,
  recordEvents,
} from './testing/finished-mailing.js';
import type { RunOptions } from './testing/run-exporter.js';
import { useExporter } from './testing/use-exporter.js';

const exporter = await useExporter();
const { fixture, run } = exporter;
beforeEach(async () => {
  await nameFields(exporter.db, 'Email', 'BROADMAIL_ID', 'Name', 'Page');
  await recordEvents(
    exporter.db,
    makeEvent('open', ANNA, 1, '2026-07-01T08:11:00Z'),
    makeEvent('click', BOB, 4, '2026-07-01T08:13:00Z'),
    makeEvent('unsubscribe', BOB, 2, '2026-07-01T08:14:00Z'),
  );
  await recordComplaint(exporter.db);
  await choose(exporter.db, {
    export: { extraColumns: ['verdict', 'Name'], complaints: true, manifest: true, gzip: true, quotes: 'always' },
  });
});

async function newestRun(): Promise<ExportRun> {
  const newest = (await selectExports(exporter.db.pool, CLIENT)).at(-1);
  if (!newest) throw new Error('no run');
  return newest;
}

/** Has a run written again. @returns what the exporter said of it */
async function repeat(id: bigint): Promise<string[]> {
  expect(await repeatExport(exporter.db.pool, id)).toBe(true);
  const said: RunOptions['said'] = [];
  await run({ resume: true, said });
  return said.map(({ line }) => line);
}

/** All that may change after a run and is news for later ones only. */
async function changeEverything(): Promise<void> {
  await exporter.db.pool.query(
    `UPDATE event SET verdict = 'scanner', browser = 'Chrome', platform = 'x', device = 'y'`,
  );
  await exporter.db.pool.query(`UPDATE event SET browser = 'Opera'`); // and once more
  await insertResponses(exporter.db.pool, [answerOf(ANNA, 'fatal_bounce'), answerOf(DORA, 'autoresponder')]);
  await recordDeliveries(
    exporter.db,
    [
      {
        mailingId: MAILING,
        recipientId: BOB,
        attemptId: 1n,
        status: 'could_not_be_sent',
        smtpCode: 550,
        reason: 'late',
        retryInMs: null,
        response: null,
      },
    ],
    [],
  );
  await recordEvents(exporter.db, makeEvent('open', BOB, 1, '2026-07-01T09:11:00Z'));
  await exporter.db.pool.query(`UPDATE client SET time_zone = 'Asia/Tokyo'`);
  await nameMasterFields(exporter.db, 'Email', 'BROADMAIL_ID', 'Other', 'Name');
  await choose(exporter.db, { export: { profile: 'classic', delimiter: ',', name: 'x-{kind}-{day}' } });
}

const answerOf = (recipientId: bigint, category: 'fatal_bounce' | 'autoresponder') =>
  ({
    mailingId: MAILING,
    recipientId,
    category,
    statusCode: null,
    diagnostic: null,
    rule: 'test',
    kind: 'dsn',
    reason: null,
    messageId: null,
    occurredAt: null,
    complaint: false,
  }) as const;

test('a run that is repeated gives the same bytes, whatever was heard, judged anew or set otherwise since', async () => {
  const published = await run();
  const before = await fixture.exported('acme');
  await changeEverything();
  await run(); // The news go into the next run ..
  const next = await newestRun();
  expect(next.files.find(({ kind }) => kind === 'responses')?.rows).toBe(2);
  await fixture.emptyExports('acme');

  const { id } = (await selectExports(exporter.db.pool, CLIENT))[0] ?? next;
  expect(await repeat(id)).toEqual(['exported again, byte for byte']);
  expect(await fixture.exported('acme')).toEqual(before); // .. and into it alone.
  const [repeated] = await selectExports(exporter.db.pool, CLIENT);
  expect(repeated).toMatchObject({ status: 'done', files: published });
});

test('what is judged anew is told as it is now by later runs', async () => {
  await choose(exporter.db, { export: { extraColumns: ['verdict'] } });
  await exporter.db.pool.query(`UPDATE event SET verdict = 'scanner', browser = 'Chrome'`);
  await run();
  expect((await fixture.exported('acme'))['20260702_opens.csv']).toMatch(/;Chrome;Windows 11;Desktop;scanner\n$/);
});

test('a change of settings between the plan and the next try of a run changes no byte of it', async () => {
  const cut = () => Promise.reject(new Error('no connection'));
  await expect(run({ connect: cut })).rejects.toThrow('no connection');
  await changeEverything();
  await run({ resume: true });
  const names = Object.keys(await fixture.exported('acme'));
  expect(names).toContain('20260702_clicks.csv.gz');
  expect(await repeat((await newestRun()).id)).toEqual(['exported again, byte for byte']);
});

test('an answer that comes between the plan and the file does not split what the log and the links say', async () => {
  const late = async () => {
    await changeEverything();
    return fixture.connect();
  };
  await choose(exporter.db, { export: {} });
  await run({ connect: late });
  const files = await fixture.exported('acme');
  expect(files['20260702_mailingrecipients.csv']).toContain(';bob@example.com;2026-07-01 10:02:00;sending;unknown;\n');
  expect(files['20260702_links.csv']).toContain(`${BOB + 4n};20000;${BOB};5000;Account`);
  expect(files['20260702_opens.csv']).toContain(';Firefox 140;');
});

test('erasure wins, and the exporter says that the files are not the same', async () => {
  await choose(exporter.db, { export: {} });
  await run();
  const { id, files } = await newestRun();
  await exporter.db.pool.query(`UPDATE mailing_recipient SET email = NULL WHERE id = ${ANNA}`);
  expect(await repeat(id)).toEqual([
    'exported again, and not the same: data of recipients was erased or recycled since',
  ]);
  expect((await fixture.exported('acme'))['20260702_opens.csv']).not.toContain('anna@example.com');
  const hash = (of: ExportRun['files']) => of.find(({ kind }) => kind === 'opens')?.sha256;
  expect(hash((await newestRun()).files)).not.toBe(hash(files));
});

test('a repeat that was cut off is taken up again, and is no new run', async () => {
  const before = await run();
  const { id } = await newestRun();
  expect(await repeatExport(exporter.db.pool, id)).toBe(true);
  expect(await repeatExport(exporter.db.pool, id)).toBe(false);
  await expect(run({ resume: true, connect: () => Promise.reject(new Error('cut')) })).rejects.toThrow('cut');
  // Meanwhile the day's run comes: it holds the news and leaves the repeat alone.
  await run();
  expect(await selectExports(exporter.db.pool, CLIENT)).toMatchObject([
    { status: 'planned' },
    { status: 'done', runOfDay: 2 },
  ]);
  expect(await run({ resume: true })).toEqual(before);
});

test('what comes after the recipients were recycled is told with mailing, recipient and address', async () => {
  await choose(exporter.db, { export: { extraColumns: ['Name'] } });
  await run({ now: '2026-08-15T00:00:00Z' });
  const recycled = { clientId: CLIENT, now: new Date('2026-08-16T00:00:00Z'), limit: 1_000, days: 30 };
  expect(await recycleRecipients(exporter.db, recycled)).toMatchObject({
    mailingId: MAILING,
    recipients: 6,
    finished: true,
  });
  await insertResponses(exporter.db.pool, [answerOf(DORA, 'autoresponder')]);
  await recordEvents(exporter.db, makeEvent('click', ANNA, 3, '2026-08-16T09:11:00Z'));
  await run({ now: '2026-08-17T00:00:00Z' });
  const files = await fixture.exported('acme');
  expect(files['20260817_responses.csv']).toContain(`\n20000;${DORA};5000;dora@example.com;`);
  expect(files['20260817_clicks.csv']).toContain(`\n23000;20000;${ANNA};5000;anna@example.com;`);
  // A repeat of the first run cannot have the names any more.
  const [first] = await selectExports(exporter.db.pool, CLIENT);
  expect(await repeat(first?.id ?? 0n)).toEqual([
    'exported again, and not the same: data of recipients was erased or recycled since',
  ]);
});
