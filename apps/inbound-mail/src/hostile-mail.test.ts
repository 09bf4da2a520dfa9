import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { hostileMails, nestedBomb, onTheWire } from './testing/hostile-mail.js';
import { ADA, forgetAll, type Inbound, messageIdOf, openInbound, returnPathOf } from './testing/inbound-fixture.js';

const COUNT = 1_000;
const CONNECTIONS = 4;
/** A message that made trouble is found again by it. */
const SEED = 20_261_121;
const BOMB_BYTES = 50_000_000;

let inbound: Inbound;
beforeAll(async () => {
  inbound = await openInbound({ INBOUND_RATE: '1000000', INBOUND_MAX_BYTES: '60000000' });
});
afterAll(() => inbound[Symbol.asyncDispose]());
beforeEach(() => forgetAll(inbound.db));

const to = returnPathOf(ADA);
const REPORT = `From: Mail Delivery System <MAILER-DAEMON@mx.x.example>
To: ${to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="sep"

--sep
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

The mail system could not deliver your message to ada@x.example: User unknown =E2=80=93 sorry.

--sep
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.x.example

Final-Recipient: rfc822; ada@x.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <ada@x.example>: User unknown

--sep
Content-Type: message/rfc822

Message-ID: ${messageIdOf(ADA)}
From: News <news@shop.example>
To: ada@x.example
Subject: =?utf-8?q?Herbst=C3=BCbersicht?=

A leaf falls.
--sep--
`;
const PROSE = `From: MAILER-DAEMON@mx.x.example
To: ${to}
Subject: failure notice
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: 8bit

Hi. This is the mail program at mx.x.example.

<ada@x.example>:
192.0.2.7 does not like recipient.
Remote host said: 552 5.2.2 Mailbox full
Giving up on 192.0.2.7.

--- Below this line is a copy of the message.

Return-Path: <${to}>
Message-ID: ${messageIdOf(ADA)}
Subject: News

A leaf falls.
`;
const COMPLAINT = REPORT.replace('report-type=delivery-status', 'report-type=feedback-report')
  .replace('message/delivery-status', 'message/feedback-report')
  .replace(
    /Reporting-MTA[^-]*Final-Recipient: rfc822;.*/,
    'Feedback-Type: abuse\nVersion: 1\nOriginal-Rcpt-To: ada@x.example',
  );

it(`${COUNT} damaged mails (seed ${SEED}) are each stored, looked at and judged with a reason, or refused with one`, async () => {
  const mails = hostileMails([REPORT, PROSE, COMPLAINT], COUNT, SEED);
  const replies: string[] = [];
  const send = async (first: number) => {
    const client = await inbound.connect();
    for (let n = first; n < mails.length; n += CONNECTIONS) {
      // Each a message of its own, also when two were damaged alike.
      const mail = Buffer.concat([Buffer.from(`Received: by mx.x.example id ${n}\n`), mails[n] ?? Buffer.alloc(0)]);
      replies.push(await client.send(to, onTheWire(mail)));
    }
    client.end();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, first) => send(first)));
  expect(replies.filter((reply) => !/^(?:250 |[45]\d\d [45]\.\d\.\d )/.test(reply))).toEqual([]);

  const taken = replies.filter((reply) => reply.startsWith('250 ')).length;
  const judged = await inbound.settled();
  expect(judged).toHaveLength(taken);
  expect(judged.filter(({ status, reason }) => status !== 'recorded' && !reason)).toEqual([]);
  expect(await inbound.metrics.metrics()).not.toMatch(/^postloop_inbound_parsers_replaced_total [1-9]/m);
  // The return path says whom each is about; what they say is read from most of them still.
  const responses = await inbound.responses();
  expect(new Set(responses.map(({ recipient }) => recipient))).toEqual(new Set([ADA]));
  const kinds = responses.map(({ kind }) => kind);
  for (const kind of ['dsn', 'free_text', 'arf']) expect(kinds).toContain(kind);
  expect(responses.filter(({ kind }) => kind !== 'reply').length).toBeGreaterThan(responses.length / 2);
}, 120_000);

it('a nested bomb of 50 MB is stored and given up with a reason, within its memory; the next mail is read as ever', async () => {
  const client = await inbound.connect();
  const bomb = nestedBomb(BOMB_BYTES);
  const before = process.resourceUsage().maxRSS * 1_024;
  expect(await client.send(to, bomb)).toMatch(/^250 /);
  expect(await inbound.settled()).toEqual([
    {
      status: expect.stringMatching(/^(?:unassigned|recorded)$/),
      reason: expect.stringMatching(/not read to its end: .*size/),
    },
  ]);
  expect(process.resourceUsage().maxRSS * 1_024 - before).toBeLessThan(15 * BOMB_BYTES);

  expect(await client.send(to, onTheWire(Buffer.from(REPORT)))).toMatch(/^250 /);
  await inbound.settled();
  expect(await inbound.responses()).toMatchObject([{ recipient: ADA, category: 'fatal_bounce', kind: 'dsn' }]);
  client.end();
}, 120_000);
