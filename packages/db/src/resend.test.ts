import { beforeAll, beforeEach, expect, it } from 'vitest';
import { selectMailingAttachments } from './content.js';
import { selectMailingToSend } from './mailing.js';
import { resendToSoftBounces } from './resend.js';
import { insertResponses, type ResponseCategory } from './response.js';
import { claimBatch, selectRecipientsToSend } from './send-batch.js';
import { addSuppressions } from './suppression.js';
import { insertMailing, MAILING, RECIPIENTS } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();
beforeAll(async () => {
  // Away from the fixture's own IDs.
  await db.pool.query(`SELECT setval('id_block', 9000000)`);
});
beforeEach(async () => {
  await insertMailing(db);
  await db.pool.query(`
    UPDATE mailing SET status = 'finished';
    INSERT INTO mailing_content VALUES (${MAILING}, '\\x01', '{"a":1}', '{"links":[]}');
    INSERT INTO link (mailing_id, ordinal, purpose, name, url, personalised) VALUES (${MAILING}, 1, 'pixel', 'pixel', '', false)`);
});

const address = (i: number) => `r${RECIPIENTS[i]}@x.example`;
const resend = (mailingId = MAILING) => resendToSoftBounces(db, mailingId, { batchSize: 1 });

async function bounce(i: number, ...categories: ResponseCategory[]): Promise<void> {
  for (const category of categories)
    await db.transaction((sql) =>
      insertResponses(sql, [
        {
          mailingId: MAILING,
          recipientId: RECIPIENTS[i] ?? 0n,
          category,
          statusCode: null,
          diagnostic: null,
          rule: 'x',
          kind: 'dsn',
          reason: null,
          messageId: null,
          occurredAt: null,
          complaint: false,
        },
      ]),
    );
}

async function started() {
  const made = await resend();
  if (made.result !== 'started') throw new Error(made.result);
  return made;
}

it('mails those whose latest response is a soft bounce, with the same content under a new ID', async () => {
  await bounce(0, 'temporary_bounce');
  await bounce(1, 'temporary_bounce', 'fatal_bounce');
  await bounce(2, 'autoresponder', 'bounce');
  const made = await started();
  expect(made).toMatchObject({ recipients: 2, batches: [{ batch: 0 }, { batch: 1 }] });

  const claims = await Promise.all(made.batches.map((key) => db.transaction((sql) => claimBatch(sql, key, 60_000))));
  const mails = await Promise.all(claims.map((claim) => (claim ? selectRecipientsToSend(db.pool, claim) : [])));
  expect(mails.flat().map(({ email }) => email)).toEqual([address(0), address(2)]);
  expect(mails.flat().some(({ id }) => RECIPIENTS.includes(id))).toBe(false);
  expect(await selectMailingToSend(db.pool, made.mailingId)).toMatchObject({ program: { links: [] } });
  const { rows } = await db.pool.query(
    `SELECT count(*) AS mailings, count(DISTINCT (campaign_id, source_mailing_id, import_id)) AS kinds FROM mailing`,
  );
  expect(rows).toEqual([{ mailings: 2n, kinds: 1n }]);
  const links = await db.pool.query('SELECT count(DISTINCT id) AS ids FROM link');
  expect(links.rows).toEqual([{ ids: 2n }]);
});

it('leaves out who is suppressed by now', async () => {
  await bounce(0, 'bounce');
  await bounce(1, 'bounce');
  await addSuppressions(db, 5_000n, [{ entry: address(0) }]);
  expect(await started()).toMatchObject({ recipients: 1 });
  await addSuppressions(db, 5_000n, [{ entry: '*@x.example' }]);
  expect(await resend()).toEqual({ result: 'nobody' });
});

it('twice, even at the same time, mails nobody twice', async () => {
  await bounce(0, 'bounce');
  const results = await Promise.all([resend(), resend(), resend()]);
  expect(results.map(({ result }) => result).sort()).toEqual(['nobody', 'nobody', 'started']);
  await bounce(1, 'bounce');
  expect(await started()).toMatchObject({ recipients: 1 });
});

it('a dry run tells how many, and makes nothing', async () => {
  await bounce(0, 'bounce');
  await bounce(1, 'temporary_bounce');
  expect(await resendToSoftBounces(db, MAILING, { dryRun: true })).toEqual({ result: 'possible', recipients: 2 });
  expect((await db.pool.query('SELECT 1 FROM mailing')).rowCount).toBe(1);
  expect((await db.pool.query('SELECT 1 FROM mailing_recipient')).rowCount).toBe(RECIPIENTS.length);
});

it('has batches as large as those of the mailing', async () => {
  await bounce(0, 'bounce');
  await bounce(1, 'bounce');
  expect(await resendToSoftBounces(db, MAILING)).toMatchObject({ recipients: 2, batches: [{ batch: 0 }] });
});

it('makes nothing when there is nobody, nothing such, or the mailing is not finished', async () => {
  expect(await resend()).toEqual({ result: 'nobody' });
  expect(await resend(1n)).toEqual({ result: 'unknown_mailing' });
  await bounce(0, 'bounce');
  await db.pool.query(`UPDATE mailing SET status = 'paused'`);
  expect(await resend()).toEqual({ result: 'refused', status: 'paused' });
  expect((await db.pool.query('SELECT 1 FROM mailing')).rowCount).toBe(1);
});

it('shows the products that the mailing began with, and carries its attachments', async () => {
  await db.pool.query(`
    INSERT INTO product_version (id, client_id, import_id, kind, columns, rows) VALUES (77, 5000, 10000, 'products', '{id}', 0);
    UPDATE mailing SET product_version_id = 77;
    INSERT INTO blob (sha256, bytes) VALUES ('hash', 'terms') ON CONFLICT DO NOTHING;
    INSERT INTO mailing_attachment VALUES (${MAILING}, 1, 'terms.txt', 'text/plain', 'hash')`);
  await bounce(0, 'bounce');
  const { mailingId } = await started();
  expect(await selectMailingToSend(db.pool, mailingId)).toMatchObject({ productVersionId: 77n });
  expect(await selectMailingAttachments(db.pool, mailingId)).toMatchObject([{ name: 'terms.txt' }]);
});
