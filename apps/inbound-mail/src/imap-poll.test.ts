import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { IncomingMessage } from '@postloop/db';
import { deliveryStatus, temporaryDirectory } from '@postloop/local-stack';
import { ImapFlow } from 'imapflow';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMailbox, readImapUrl } from './imap-mailbox.js';
import { emptyMailbox } from './imap-poll.js';
import { createMetrics } from './metrics.js';
import { type Dovecot, noDovecot, startDovecot } from './testing/dovecot.js';
import { ADA, openInbound, returnPathOf } from './testing/inbound-fixture.js';

it.each([
  [
    'imaps://a%40b:p%2Fw@mail.example',
    { host: 'mail.example', port: 993, secure: true, user: 'a@b', password: 'p/w', mailbox: 'INBOX' },
  ],
  ['imap://a:b@mail.example:1143/Bounces%2FNew', { port: 1143, secure: false, plain: false, mailbox: 'Bounces/New' }],
])('reads %s', (url, account) => {
  expect(readImapUrl(url, false)).toMatchObject(account);
});

// Needs Debian's dovecot-imapd and root; where there is none, there is nothing to test against.
describe.skipIf(noDovecot !== undefined)(`a mailbox on a Dovecot${noDovecot ? ` (skipped: ${noDovecot})` : ''}`, () => {
  let dovecot: Dovecot;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  beforeAll(async () => {
    directory = await temporaryDirectory();
    const dir = join(directory.path, 'dovecot');
    await mkdir(dir);
    dovecot = await startDovecot(dir);
  });
  afterAll(async () => {
    await dovecot[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  const urlOf = (user: string) =>
    `imap://${user}:${encodeURIComponent(dovecot.password)}@127.0.0.1:${dovecot.port}/INBOX`;

  /** What the mailbox's owner sees in a mail program. */
  async function asOwner<T>(user: string, work: (client: ImapFlow) => Promise<T>): Promise<T> {
    const auth = { user, pass: dovecot.password };
    const client = new ImapFlow({ host: '127.0.0.1', port: dovecot.port, doSTARTTLS: false, auth, logger: false });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.logout();
    }
  }
  const put = (user: string, ...mails: string[]) =>
    asOwner(user, async (client) => {
      for (const mail of mails) await client.append('INBOX', mail);
    });
  const unseen = (user: string) =>
    asOwner(user, async (client) => {
      await client.mailboxOpen('INBOX');
      return client.search({ seen: false });
    });

  function look(
    user: string,
    options: { store?: (message: IncomingMessage) => Promise<'stored' | 'known'>; doneFolder?: string } = {},
  ) {
    const stored: IncomingMessage[] = [];
    const keep = async (message: IncomingMessage) => {
      stored.push(message);
      return 'stored' as const;
    };
    const taken = emptyMailbox(
      {
        open: () => openMailbox(readImapUrl(urlOf(user), true), 1_000_000),
        maxBytes: 1_000_000,
        doneFolder: options.doneFolder,
        store: options.store ?? keep,
        intervalMs: 1_000,
        now: () => new Date(),
        metrics: createMetrics(new Registry()),
        log: { info: () => undefined, warn: () => undefined },
      },
      new AbortController().signal,
    );
    return { taken, stored };
  }

  it('is emptied once: each message byte for byte, then seen', async () => {
    const mails = [1, 2, 3].map((n) => `Subject: ${n}\r\n\r\n\xe4 ${n}\r\n`);
    await put('once', ...mails);
    const { taken, stored } = look('once');
    expect(await taken).toBe(3);
    expect(stored.map(({ raw }) => raw.toString())).toEqual(mails);
    expect(await unseen('once')).toEqual([]);
    expect(await look('once').taken).toBe(0);
  });

  it('keeps what could not be stored, for the next look', async () => {
    await put('again', 'Subject: 1\r\n\r\n', 'Subject: 2\r\n\r\n');
    let calls = 0;
    const store = async () => {
      calls += 1;
      if (calls === 2) throw new Error('the database is away');
      return 'stored' as const;
    };
    await expect(look('again', { store }).taken).rejects.toThrow('away');
    expect(await unseen('again')).toHaveLength(1);
    expect(await look('again').taken).toBe(1);
  });

  it('moves what is stored to the folder that is named', async () => {
    await asOwner('moved', (client) => client.mailboxCreate('Done'));
    await put('moved', 'Subject: 1\r\n\r\n');
    expect(await look('moved', { doneFolder: 'Done' }).taken).toBe(1);
    const counts = await asOwner('moved', async (client) => {
      const all = ['INBOX', 'Done'].map((folder) => client.status(folder, { messages: true }));
      return (await Promise.all(all)).map((status) => (status ? status.messages : undefined));
    });
    expect(counts).toEqual([0, 1]);
  });

  it('with a message beyond the limit gives its beginning', async () => {
    await put('big', `Subject: big\r\n\r\n${'x'.repeat(78)}\r\n`.repeat(20_000));
    const { taken, stored } = look('big');
    expect(await taken).toBe(1);
    expect(stored[0]?.raw).toHaveLength(1_000_000);
  });

  it('is not read without encryption unless that was asked for', async () => {
    await expect(openMailbox(readImapUrl(urlOf('plain'), false), 1_000)).rejects.toThrow();
  });

  it('makes responses of what is in it, also when the same came by SMTP', async () => {
    const bounce = deliveryStatus(returnPathOf(ADA), [
      { recipient: 'ada@x.example', status: '5.1.1', diagnostic: '550 5.1.1 User unknown' },
    ]);
    await put('whole', `${bounce}\r\n`);
    await using inbound = await openInbound({ INBOUND_IMAP_URL: urlOf('whole'), INBOUND_IMAP_PLAIN: 'true' });
    await expect
      .poll(() => inbound.responses(), { timeout: 20_000 })
      .toMatchObject([{ recipient: ADA, category: 'fatal_bounce' }]);
    const client = await inbound.connect();
    expect(await client.send(returnPathOf(ADA), bounce)).toMatch(/^250/);
    client.end();
    await inbound.settled();
    expect(await inbound.responses()).toHaveLength(1);
  });
});
