import { join } from 'node:path';
import { startSmtpInbox, temporaryDirectory } from '@postloop/local-stack';
import type { RenderedMail } from '@postloop/mail-domain';
import { smtpSettings } from '@postloop/service-kit';
import { describe, expect, it } from 'vitest';
import type { MailSession } from './mail-session.js';
import { openSession, smtpServer } from './open-session.js';
import type { SmtpOutcome } from './smtp-answer.js';
import { DATE, data, randomMails } from './testing/random-mails.js';
import { hangUpAt, type Script, type ScriptedServer, serveSmtp } from './testing/scripted-server.js';

// Whichever client hands mails over, the same answers mean the same.

const CLIENTS = ['pipelined', 'nodemailer'] as const;
const EXTENSIONS = { PIPELINING: ['PIPELINING', '8BITMIME', 'SIZE 1000'], 'no PIPELINING': ['8BITMIME'] } as const;

function connect(
  { port }: Pick<ScriptedServer, 'port'>,
  client: (typeof CLIENTS)[number],
  timeoutMs = 30_000,
): Promise<MailSession> {
  const options = { requireTls: false, ca: undefined, servername: undefined, helloName: 'out.example', timeoutMs };
  return openSession(smtpServer(smtpSettings({ host: '127.0.0.1', port, secure: false }, undefined, options), client));
}

const mail = (name: string, body = 'body\r\n'): RenderedMail => ({
  messageId: `<${name}@x>`,
  envelopeFrom: 'b@x.example',
  envelopeTo: `${name}@y.example`,
  data: Buffer.from(`Subject: ${name}\r\n\r\n${body}`),
});

const answerTo =
  (prefix: string, answer: string): Script =>
  (line) =>
    line.startsWith(prefix) ? answer : undefined;

/** More than the buffers of two sockets: the server is gone before all of it is out. */
const LARGE = 'x'.repeat(70).concat('\r\n').repeat(500_000);
const hangUpInMessage: Script = (line, socket) => {
  if (line !== 'DATA') return undefined;
  socket.write('354 go\r\n');
  socket.removeAllListeners('data').once('data', () => socket.destroy());
  return '';
};

const refused = (stage: string, code: number, text: string) => ({ kind: 'refused', stage, reply: { code, text } });
const lost = (dotWritten: boolean) => ({ kind: 'lost', dotWritten });

const OUTCOMES: [what: string, script: Script, outcome: object, mail?: RenderedMail][] = [
  ['taken', () => undefined, { kind: 'accepted', reply: { code: 250, text: 'ok' } }],
  [
    'taken, in several lines',
    answerTo('Subject', '250-2.0.0 ok\r\n250 2.0.0 as 17'),
    { kind: 'accepted', reply: { code: 250, text: '2.0.0 ok 2.0.0 as 17' } },
  ],
  ['sender refused', answerTo('MAIL', '451 4.7.1 later'), refused('sender', 451, '4.7.1 later')],
  [
    'recipient refused',
    answerTo('RCPT', '550-5.1.1 nobody\r\n550 5.1.1 here'),
    refused('recipient', 550, '5.1.1 nobody 5.1.1 here'),
  ],
  [
    'recipient refused, and an empty message asked for',
    (line) => (line.startsWith('RCPT') ? '550 no' : line === '' ? '554 none' : undefined),
    refused('recipient', 550, 'no'),
  ],
  ['DATA refused', answerTo('DATA', '452 4.3.1 full'), refused('data', 452, '4.3.1 full')],
  ['message refused', answerTo('Subject', '554 5.7.1 spam'), refused('data', 554, '5.7.1 spam')],
  ['closing before the message', answerTo('MAIL', '421 4.3.2 closing'), refused('sender', 421, '4.3.2 closing')],
  ['closing after the message', answerTo('Subject', '421 4.3.2 closing'), refused('data', 421, '4.3.2 closing')],
  ['lost at the sender', hangUpAt('MAIL'), lost(false)],
  ['lost at the recipient', hangUpAt('RCPT'), lost(false)],
  ['lost at DATA', hangUpAt('DATA'), lost(false)],
  ['lost in the message', hangUpInMessage, lost(true), mail('large', LARGE)],
  ['lost after the message', hangUpAt('Subject'), lost(true)],
  ['no SMTP', () => 'hello there', lost(false)],
  ['no SMTP after the message', answerTo('Subject', 'hello there'), lost(true)],
];

describe.each(CLIENTS)('the client %s', (client) => {
  describe.each(Object.entries(EXTENSIONS))('with %s', (_what, extensions) => {
    it.each(OUTCOMES)('%s', async (_outcome, script, outcome, sent = mail('one')) => {
      const session = await connect(await serveSmtp(script, extensions), client);
      expect(await session.send(sent)).toMatchObject(outcome);
    });

    it('a mail without an answer is lost after it was handed over', async () => {
      const session = await connect(await serveSmtp(answerTo('Subject', ''), extensions), client, 200);
      expect(await session.send(mail('one'))).toMatchObject(lost(true));
      expect(session.isOpen).toBe(false);
    });

    it('a refused mail keeps no other one back, and no session open that the server closes', async () => {
      const script: Script = (line) => {
        if (line === 'RCPT TO:<two@y.example>') return '550 no';
        if (line === 'DATA' && server.heard.at(-2) === 'RCPT TO:<two@y.example>') return '503 no recipients';
        return line.startsWith('Subject: three') ? '421 bye' : undefined;
      };
      const server: ScriptedServer = await serveSmtp(script, extensions);
      const session = await connect(server, client);
      const outcomes = await Promise.all(['one', 'two', 'three', 'four'].map((name) => session.send(mail(name))));
      expect(outcomes.map(({ kind }) => kind)).toEqual(['accepted', 'refused', 'refused', 'lost']);
      expect(outcomes[3]).toMatchObject(lost(false));
      expect(session.isOpen).toBe(false);
      await session.closed;
      expect(await session.send(mail('five'))).toMatchObject(lost(false));
      const order = ['RCPT TO:<two@y.example>', 'RSET', 'RCPT TO:<three@y.example>'];
      expect(server.heard.filter((line) => order.includes(line))).toEqual(order);
      expect(server.heard.filter((line) => line.startsWith('Subject'))).toHaveLength(2);
    });

    it('says QUIT when it is idle, not before', async () => {
      const server = await serveSmtp(undefined, extensions);
      const session = await connect(server, client);
      const sent = session.send(mail('one'));
      session.quitWhenIdle();
      expect(await sent).toMatchObject({ kind: 'accepted' });
      expect(session.isOpen).toBe(true);
      session.quitWhenIdle();
      await expect.poll(() => server.heard.at(-1)).toBe('QUIT');
      expect(session.isOpen).toBe(false);
    });
  });
});

it('both say the same to a server, byte for byte', async () => {
  const bodies = [
    '',
    'body\r\n',
    `${'x'.repeat(998)}\r\n`,
    '=2E\r\n \t.\r\n',
    'a\r\n\r\n\r\n',
    `${'0123456789'.repeat(7)}=\r\n`.repeat(20_000),
  ];
  const told = async (client: (typeof CLIENTS)[number]) => {
    const server = await serveSmtp(undefined, ['8BITMIME', 'SIZE 10']);
    const session = await connect(server, client);
    const outcomes: SmtpOutcome[] = [];
    for (const [i, body] of bodies.entries()) outcomes.push(await session.send(mail(`m${i}`, body)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(bodies.map(() => 'accepted'));
    return server.heard;
  };
  expect(await told('nodemailer')).toEqual(await told('pipelined'));
});

it('both hand random mails over alike: the same envelopes and messages at a recording server', async () => {
  await using directory = await temporaryDirectory();
  await using inbox = await startSmtpInbox({ dir: join(directory.path, 'inbox') });
  const mails = randomMails(100).map(({ renderer, recipient }) => renderer.render(recipient, DATE, data));
  const signatures = mails.map((_, i) => Buffer.from(i % 2 === 0 ? `DKIM-Signature: ${i}\r\n` : ''));
  const recorded = async (client: (typeof CLIENTS)[number]) => {
    const before = inbox.journal().length;
    const session = await connect(inbox, client);
    const outcomes = await Promise.all(mails.map((one, i) => session.send(one, signatures[i])));
    session.quitWhenIdle();
    expect(outcomes.filter(({ kind }) => kind !== 'accepted')).toEqual([]);
    const accepted = inbox
      .journal()
      .slice(before)
      .filter(({ type }) => type === 'accepted');
    return accepted.map((entry) => ({ from: entry.envelopeFrom, to: entry.envelopeTo, message: inbox.raw(entry) }));
  };
  const given = mails.map(({ envelopeFrom, envelopeTo, data: message }, i) => ({
    from: envelopeFrom,
    to: [envelopeTo],
    message: Buffer.concat([signatures[i] ?? Buffer.alloc(0), message]),
  }));
  expect(await recorded('pipelined')).toEqual(given);
  expect(await recorded('nodemailer')).toEqual(given);
});
