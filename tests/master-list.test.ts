import { type ListField, upsertMasterList, upsertSourceMailing } from '@postloop/db';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mailTo } from './support/mail.js';
import { until } from './support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  sendingApps,
  type TestClient,
  untilSent,
  upload,
  type World,
} from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld({ apps: sendingApps });
});
afterAll(() => world[Symbol.asyncDispose]());

type Field = Omit<ListField, 'ordinal'>;
const text = (name: string): Field => ({ name, type: 'varchar', length: 255, required: false, role: null });
const email: Field = { ...text('Email'), required: true, role: 'email' };
const broadmailId: Field = { ...text('BROADMAIL_ID'), type: 'bigint', length: null, role: 'broadmail_id' };

/** Another order of columns and other names: First name stands where BROADMAIL_ID was. */
const changed = [text('Age'), text('First name'), email, broadmailId];

async function apply(client: TestClient, fields: Field[], html: string): Promise<void> {
  const listId = await upsertMasterList(world.db, client.id, 'master', fields);
  await upsertSourceMailing(world.db, {
    clientId: client.id,
    listId,
    name: 'source 0',
    subject: 'News for {{ First name }}',
    fromName: 'Shop',
    fromAddress: 'news@shop.example',
    replyTo: null,
    bodyFormat: 'html',
    body: html,
    textBody: null,
    linkTracking: true,
  });
}

it('a changed master list does not reach an import on its way: its mails are made of the columns it was read by', async () => {
  const client = await addClient(world, 'on-its-way');
  await world.house.app('mailing-factory').stop();
  const file = await upload(world, client, rowsFor(client, 1));
  await until('the rows are stored', async () => {
    const { rows } = await world.db.pool.query(`SELECT 1 FROM import WHERE client_id = $1 AND status = 'imported'`, [
      client.id,
    ]);
    return rows[0];
  });
  await apply(client, changed, '<html><body>{{ First name }}</body></html>');
  await world.house.start('mailing-factory');
  await untilSent(world, client, file);
  const mail = await mailTo(world.stack.inbox, 'p0@on-its-way.example');
  expect(mail.email.subject).toBe('News for Ada 0');
  expect(mail.html).toContain('Ada 0');

  const next = await upload(world, client, [['33', 'Eve', 'eve@on-its-way.example', String(client.sources[0])]]);
  await untilSent(world, client, next);
  expect((await mailTo(world.stack.inbox, 'eve@on-its-way.example')).email.subject).toBe('News for Eve');
});

it('nor a mailing that was built and waits', async () => {
  const client = await addClient(world, 'waiting');
  await world.house.app('sender-workers').stop();
  const file = await upload(world, client, rowsFor(client, 1));
  await until('the mailing has started', async () => {
    const { rows } = await world.db.pool.query(`SELECT 1 FROM mailing WHERE client_id = $1 AND status = 'sending'`, [
      client.id,
    ]);
    return rows[0];
  });
  await apply(client, changed, '<html><body>another</body></html>');
  await world.house.start('sender-workers');
  await untilSent(world, client, file);
  const mail = await mailTo(world.stack.inbox, 'p0@waiting.example');
  expect(mail.email.subject).toBe('News for Ada 0');
  expect(mail.html).not.toContain('another');
});
