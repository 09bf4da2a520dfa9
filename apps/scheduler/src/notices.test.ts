import type { FileFault, WrittenClientSettings } from '@postloop/contracts';
import { endImport, failMailings } from '@postloop/db';
import { useTestDatabase } from '@postloop/db/testing';
import { freePort, type SmtpInbox, startSmtpInbox, temporaryDirectory } from '@postloop/local-stack';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createNoticeTransport, type SendNotice } from './notice-transport.js';
import { sendNotices } from './notices.js';
import {
  acceptFile,
  FILE,
  finishFile,
  IMPORT,
  insertClaimedFile,
  MAILING,
  startFile,
} from './testing/journal-fixture.js';
import { stoppedClock, testMetrics } from './testing/scheduler-fixture.js';

const { db } = await useTestDatabase();
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let inbox: SmtpInbox;
beforeAll(async () => {
  directory = await temporaryDirectory();
  inbox = await startSmtpInbox({ dir: directory.path });
});
afterAll(async () => {
  await inbox.stop();
  await directory[Symbol.asyncDispose]();
});
beforeEach(() => inbox.behaveNormally());

const OPS = 'ops@acme.example';
const told: WrittenClientSettings = { notices: { addresses: [OPS] } };
const transportTo = (port: number): SendNotice =>
  createNoticeTransport(
    {
      host: '127.0.0.1',
      port,
      secure: false,
      requireTls: false,
      tls: {},
      login: undefined,
      helloName: 'localhost',
      timeoutMs: 5_000,
    },
    'postloop@shop.example',
  );

function scheduler({ port = inbox.port, now = new Date(Date.now() + 1_000).toISOString() } = {}) {
  return {
    db,
    send: transportTo(port),
    domain: 'shop.example',
    clock: stoppedClock(now),
    log: { warn: vi.fn(), error: vi.fn() },
    metrics: testMetrics(),
  };
}

/** What arrives while `work` runs: decoded, with headers and text in one string. */
async function mailsOf(work: () => Promise<unknown>): Promise<{ to: string[]; id: string; mail: string }[]> {
  const before = inbox.journal().length;
  await work();
  return inbox
    .journal()
    .slice(before)
    .filter(({ type }) => type === 'accepted')
    .map((entry) => ({ to: entry.envelopeTo, id: entry.messageId ?? '', mail: decoded(inbox.raw(entry).toString()) }));
}

/** Quoted-printable undone, as far as these mails use it. */
const decoded = (raw: string): string =>
  raw
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

const subjectOf = (mail: string): string =>
  /^Subject: (.*(?:\r\n[ \t].*)*)/m.exec(mail)?.[1]?.replace(/\r\n/g, '') ?? '';

const fault = (line: number): FileFault => ({
  code: 'bad_value',
  line,
  column: 2,
  message: `value ${line} is bad.`,
  remedy: 'Correct it.',
});

describe('each step of a file is told once', () => {
  it('import, start and finish, with counts and IDs', async () => {
    await insertClaimedFile(db, told);
    const [imported] = await mailsOf(async () => {
      await acceptFile(db);
      await sendNotices(scheduler());
    });
    expect(imported?.to).toEqual([OPS]);
    expect(subjectOf(imported?.mail ?? '')).toBe(`Postloop, Acme: ${FILE} imported, 1 of 4 rows queued`);
    for (const line of ['queued     1', 'suppressed 1', 'invalid    1', 'duplicate  1', `${MAILING}  news`])
      expect(imported?.mail).toContain(line);
    expect(imported?.mail).toContain('Auto-Submitted: auto-generated');

    const [started, ...others] = await mailsOf(async () => {
      await startFile(db);
      await sendNotices(scheduler());
      await sendNotices(scheduler());
    });
    expect(others).toEqual([]);
    expect(subjectOf(started?.mail ?? '')).toBe(`Postloop, Acme: mailing ${MAILING} started, 1 recipient`);

    const [finished] = await mailsOf(async () => {
      await finishFile(db);
      await sendNotices(scheduler());
    });
    expect(subjectOf(finished?.mail ?? '')).toBe(`Postloop, Acme: mailing ${MAILING} finished, 1 of 1 sent`);
  });

  it('an error tells the first faults with place and remedy, and how to go on', async () => {
    await insertClaimedFile(db, told);
    const faults = Array.from({ length: 34 }, (_, i) => fault(i + 1));
    const [mail] = await mailsOf(async () => {
      await db.transaction((sql) => endImport(sql, IMPORT, 'failed', faults));
      await sendNotices(scheduler());
    });
    expect(subjectOf(mail?.mail ?? '')).toBe(`Postloop, Acme: ERROR, ${FILE} failed`);
    expect(mail?.mail).toContain('the first 10 of 34');
    expect(mail?.mail).toContain('line 10, column 2: value 10 is bad. Correct it.');
    expect(mail?.mail).not.toContain('line 11,');
    expect(mail?.mail).toContain(`logs/${FILE}.error.csv`);
    expect(mail?.mail).toContain(`upload an empty file ${FILE}.restart to import/`);
    expect(mail?.mail).toContain(`postloop import restart ${IMPORT}`);
    expect(mail?.mail).toContain('No further file is taken from import/');
  });

  it('a start that failed is another error: the rows are there', async () => {
    await insertClaimedFile(db, { ...told, onError: { halt: false } });
    await acceptFile(db);
    const mails = await mailsOf(async () => {
      await db.transaction((sql) => failMailings(sql, IMPORT, [fault(1)]));
      await sendNotices(scheduler());
    });
    const mail = mails.at(-1)?.mail;
    expect(subjectOf(mail ?? '')).toBe(`Postloop, Acme: ERROR, the mailings of ${FILE} did not start`);
    expect(mail).toContain('The rows are stored; nobody was mailed.');
    expect(mail).not.toContain('No further file');
  });
});

it('an order that failed is told as one: the file that it named is as it was', async () => {
  await insertClaimedFile(db, told);
  await db.pool.query(`UPDATE import SET file_name = $1`, [`${FILE}.restart`]);
  const [mail] = await mailsOf(async () => {
    await db.transaction((sql) => endImport(sql, IMPORT, 'failed', [fault(1)]));
    await sendNotices(scheduler());
  });
  expect(mail?.mail).toContain(`Nothing was changed: ${FILE} is as it was before.`);
  expect(mail?.mail).not.toContain('postloop import restart');
});

it.each<{ what: string; settings: WrittenClientSettings }>([
  { what: 'no addresses', settings: {} },
  { what: 'other events only', settings: { notices: { addresses: [OPS], on: ['error'] } } },
])('with $what nobody is mailed, then and later', async ({ settings }) => {
  await insertClaimedFile(db, settings);
  await acceptFile(db);
  expect(await mailsOf(() => sendNotices(scheduler()))).toEqual([]);
  await db.pool.query('UPDATE client SET settings = $1', [JSON.stringify(told)]);
  expect(await mailsOf(() => sendNotices(scheduler()))).toEqual([]);
});

it('of several schedulers one sends each mail', async () => {
  await insertClaimedFile(db, told);
  await acceptFile(db);
  await startFile(db);
  await finishFile(db);
  const mails = await mailsOf(() => Promise.all([1, 2, 3, 4].map(() => sendNotices(scheduler()))));
  expect(mails.map(({ id }) => id)).toHaveLength(3);
  expect(new Set(mails.map(({ id }) => id)).size).toBe(3);
});

it('a mail server that is away delays: the mail comes later, under the ID that it would have had', async () => {
  await insertClaimedFile(db, told);
  await acceptFile(db);
  const away = scheduler({ port: await freePort() });
  expect(await mailsOf(() => sendNotices(away))).toEqual([]);
  expect(away.log.warn).toHaveBeenCalledOnce();

  const back = scheduler({ now: new Date(away.clock.now().getTime() + 29_000).toISOString() });
  expect(await mailsOf(() => sendNotices(back))).toEqual([]);
  back.clock.set(new Date(away.clock.now().getTime() + 31_000).toISOString());
  const [mail] = await mailsOf(() => sendNotices(back));
  expect(mail?.id).toMatch(/^<notice\.\d+\.\d+@shop\.example>$/);
});

it('a scheduler that died after sending leaves a lease: the mail goes out again under the same ID', async () => {
  await insertClaimedFile(db, told);
  await acceptFile(db);
  const dying = scheduler();
  const broken = {
    ...dying,
    send: async (notice: Parameters<SendNotice>[0]) => {
      await dying.send(notice);
      throw new Error('killed');
    },
  };
  const [first] = await mailsOf(() => expect(sendNotices(broken)).rejects.toThrow('killed'));
  expect(await mailsOf(() => sendNotices(scheduler()))).toEqual([]);
  const later = scheduler({ now: new Date(Date.now() + 10 * 60_000).toISOString() });
  const [again] = await mailsOf(() => sendNotices(later));
  expect(again?.id).toBe(first?.id);
});

it('of several addresses, one that is refused or put off keeps no other waiting and is not told twice', async () => {
  await insertClaimedFile(db, { notices: { addresses: [OPS, 'gone@acme.example', 'slow@acme.example'] } });
  await acceptFile(db);
  inbox.behave({ match: /^gone@/, reply: { at: 'rcpt', code: 550, text: 'unknown' } });
  inbox.behave({ match: /^slow@/, reply: { at: 'rcpt', code: 450, text: 'later' }, times: 1 });
  const first = scheduler();
  expect((await mailsOf(() => sendNotices(first))).map(({ to }) => to)).toEqual([[OPS]]);
  expect(first.log.error).toHaveBeenCalledOnce();
  const later = scheduler({ now: new Date(Date.now() + 10 * 60_000).toISOString() });
  expect((await mailsOf(() => sendNotices(later))).map(({ to }) => to)).toEqual([['slow@acme.example']]);
});

it('what others wrote can neither add a header nor a line', async () => {
  await insertClaimedFile(db, told);
  await db.pool.query(`UPDATE client SET name = E'Acme\\r\\nBcc: spy@evil.example'`);
  const hostile = { ...fault(1), message: 'bad\r\n\r\nTo restart: https://evil.example \u202e' };
  const [mail, ...others] = await mailsOf(async () => {
    await db.transaction((sql) => endImport(sql, IMPORT, 'failed', [hostile]));
    await sendNotices(scheduler());
  });
  expect(others).toEqual([]);
  expect(mail?.to).toEqual([OPS]);
  expect(mail?.mail).not.toMatch(/^Bcc:/m);
  expect(mail?.mail).not.toMatch(/^To restart/m);
  expect(subjectOf(mail?.mail ?? '')).toContain('Acme??Bcc: spy@evil.example');
});
