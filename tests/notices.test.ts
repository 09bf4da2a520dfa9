import type { WrittenClientSettings } from '@postloop/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mailTo } from './support/mail.js';
import { until } from './support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  sendingApps,
  type TestClient,
  untilImported,
  untilSent,
  upload,
  type World,
} from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld({ apps: sendingApps, env: { JOURNAL_INTERVAL_MS: '100' } });
});
afterAll(() => world[Symbol.asyncDispose]());

async function addTold(name: string, settings: WrittenClientSettings = {}): Promise<TestClient> {
  const client = await addClient(world, name);
  const told = { notices: { addresses: [`ops@${name}.example`] }, ...settings };
  await world.db.pool.query('UPDATE client SET settings = $2 WHERE id = $1', [client.id, JSON.stringify(told)]);
  return client;
}

/** Subjects of the status mails that an address got, in order. */
const subjects = async (address: string): Promise<string[]> => {
  const entries = world.stack.inbox.journal();
  const mails = entries.filter(({ type, envelopeTo }) => type === 'accepted' && envelopeTo.includes(address));
  return mails
    .map((entry) => /^Subject: (.*(?:\r\n[ \t].*)*)/m.exec(world.stack.inbox.raw(entry).toString())?.[1] ?? '')
    .map((subject) => subject.replace(/\r\n[ \t]/g, ' '));
};

const untilSubjects = (address: string, count: number): Promise<string[]> =>
  until(`${count} status mails to ${address}`, async () => {
    const found = await subjects(address);
    return found.length >= count ? found : undefined;
  });

it('import, start and finish of a file are mailed to the people of its client, and to nobody else', async () => {
  const client = await addTold('told');
  const other = await addTold('other');
  const name = await upload(world, client, rowsFor(client, 4));
  const [mailing] = await untilSent(world, client, name);
  expect(await untilSubjects('ops@told.example', 3)).toEqual([
    `Postloop, told: ${name} imported, 4 of 4 rows queued`,
    `Postloop, told: mailing ${mailing} started, 4 recipients`,
    `Postloop, told: mailing ${mailing} finished, 4 of 4 sent`,
  ]);
  expect(await subjects(`ops@${other.directory}.example`)).toEqual([]);
});

it('an error says where, what to do, and how to go on', async () => {
  const client = await addTold('faulty');
  const name = await upload(
    world,
    client,
    Buffer.from(`a@faulty.example;${client.sources[0]};;Ms;Ada;L\nb@faulty.example;4711;;Ms;B;B\n`),
  );
  await untilImported(world, client, name);
  expect(await untilSubjects('ops@faulty.example', 1)).toEqual([`Postloop, faulty: ERROR, ${name} failed`]);
  const { text, header } = await mailTo(world.stack.inbox, 'ops@faulty.example');
  expect(text).toContain('line 2, column 2: BROADMAIL_ID "4711" is no source mailing');
  expect(text).toContain(`${name}.restart`);
  expect(header('auto-submitted')).toBe('auto-generated');
});

it('killed between sending a status mail and saying so, the next scheduler sends it again under the same Message-ID', async () => {
  const client = await addTold('twice');
  await world.house.app('scheduler').stop();
  const killed = await world.house.start('scheduler', { killPoint: 'scheduler.after-notice' });
  const name = await upload(world, client, rowsFor(client, 2));
  expect((await killed.exited).signal).toBe('SIGKILL');
  // Its lease is not waited for: that takes minutes.
  await world.db.pool.query('UPDATE journal SET mail_due_at = NULL WHERE mailed_at IS NULL');
  await world.house.start('scheduler');
  await untilSent(world, client, name);
  const [first, again] = await untilSubjects('ops@twice.example', 4);
  expect(again).toBe(first);
  const ids = world.stack.inbox
    .journal()
    .filter(({ type, envelopeTo }) => type === 'accepted' && envelopeTo.includes('ops@twice.example'))
    .map(({ messageId }) => messageId);
  expect(new Set(ids).size).toBe(ids.length - 1);
});
