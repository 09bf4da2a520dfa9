import { beforeEach, describe, expect, it } from 'vitest';
import { SourceMailingInUse, selectSourceMailingForCopy, upsertSourceMailing } from './source-mailing.js';
import { insertMailing } from './testing/mailing-fixture.js';
import { useTestDatabase } from './testing/test-database.js';

const { db } = await useTestDatabase();
beforeEach(() => insertMailing(db));

const SOURCE = 6_000n;
const write = (subject: string) =>
  upsertSourceMailing(db, {
    clientId: 5_000n,
    listId: 8_000n,
    name: 'news',
    subject,
    fromName: 'Shop',
    fromAddress: 'news@shop.example',
    replyTo: null,
    bodyFormat: 'html',
    body: '<p></p>',
    textBody: null,
    linkTracking: true,
    sendAt: '09:00 Europe/Berlin',
  });

describe('a source mailing that is being copied', () => {
  it('cannot be changed until the copy is made', async () => {
    await db.transaction(async (sql) => {
      const copied = await selectSourceMailingForCopy(sql, SOURCE);
      await expect(write('new')).rejects.toThrow(SourceMailingInUse);
      expect(copied?.subject).toBe((await selectSourceMailingForCopy(sql, SOURCE))?.subject);
    });
    expect(await write('new')).toMatchObject({ id: SOURCE, subject: 'new', sendAt: '09:00 Europe/Berlin' });
  });

  it('can be copied by several imports at once', async () => {
    await db.transaction(async (sql) => {
      await selectSourceMailingForCopy(sql, SOURCE);
      expect(await db.transaction((other) => selectSourceMailingForCopy(other, SOURCE))).toBeDefined();
    });
  });
});

it('an import that refers to it is not in the way of a change', async () => {
  await db.transaction(async (sql) => {
    await sql.query(
      `INSERT INTO mailing (client_id, import_id, source_mailing_id, recipient_list_id, name, test, resend_of)
       VALUES (5000, 10000, 6000, 8000, 'news', false, 20000)`,
    );
    expect(await write('meanwhile')).toMatchObject({ subject: 'meanwhile' });
  });
});
