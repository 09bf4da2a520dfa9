import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { mailTo } from './support/mail.js';
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

// Senders that leave handing over, encoding or both to nodemailer: recipients see the same mails, and the same answers mean the same.

let world: World;
beforeAll(async () => {
  world = await openWorld({ apps: sendingApps.filter((app) => app !== 'sender-workers') });
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(() => world.stack.inbox.behaveNormally());

const HTML =
  '<html><body>\n.\n<p>Grüße {{ First name }}</p><a href="https://shop.example/?q={{ First name }}">Größe</a> <a href="{{ unsubscribe_url }}">leave</a></body></html>';
const FILE = { name: 'Preisliste März.pdf', mediaType: 'application/pdf', bytes: Buffer.from('%PDF-1.7\n.\n\0') };
const NAMES = [
  'Jürgen 🎉',
  '.\n.\n..',
  'a\r\nBcc: all@example.com\r\n\r\nb',
  null,
  '',
  'x = y \t',
  `${'lang und länger '.repeat(15)}`,
];

let sent = 0;

/** Sends one file through a sender of its own. @returns what became of its recipients, in their order, and who did it */
async function sendBy(env: Record<string, string>) {
  sent += 1;
  const name = `fallback-${sent}`;
  const client = await addClient(world, name, [{ subject: 'Für {{ First name }}', html: HTML, attachments: [FILE] }]);
  const rows = rowsFor(client, 16).map((row, i) => row.with(4, NAMES[i % NAMES.length] ?? null));
  const { inbox } = world.stack;
  const answers = [
    { at: 'mail', code: 421, text: '4.3.2 closing' },
    { at: 'rcpt', code: 550, text: '5.1.1 nobody' },
    { at: 'data', code: 554, text: '5.7.1 spam' },
  ] as const;
  inbox.behave({ reply: answers[0], times: 1 });
  inbox.behave({ match: /^p3@/, reply: answers[1] });
  inbox.behave({ match: /^p4@/, reply: answers[2] });
  inbox.behave({ match: /^p5@/, drop: 'before-dot' });
  inbox.behave({ match: /^p6@/, drop: 'after-dot' });
  inbox.behave({ match: /^p7@/, drop: 'after-250-lost' });
  const sender = await world.house.start('sender-workers', { env });
  const [mailing] = await untilSent(world, client, await upload(world, client, rows));
  await sender.stop();
  const outcomes = (await outcomesOf(mailing)).map(async (outcome) => ({
    ...outcome,
    mail: await received(client, outcome.email),
  }));
  return { outcomes: await Promise.all(outcomes), workers: await workersOf(name) };
}

async function outcomesOf(mailing: bigint | undefined) {
  const { rows } = await world.db.pool.query<{
    email: string;
    status: string;
    smtpCode: number | null;
    category: string | null;
  }>(
    `SELECT split_part(r.email, '@', 1) AS email, d.status::text, d.smtp_code AS "smtpCode", p.category::text, p.diagnostic
       FROM mailing_recipient r JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
       LEFT JOIN response p ON p.mailing_id = r.mailing_id AND p.recipient_id = r.id
      WHERE r.mailing_id = $1 ORDER BY r.line`,
    [mailing],
  );
  return rows;
}

/** The mail as another program reads it, without what differs from mailing to mailing. */
async function received(client: TestClient, name: string) {
  const accepted = world.stack.inbox.acceptedMessageIds();
  const read = await mailTo(world.stack.inbox, `${name}@${client.directory}.example`).catch(() => undefined);
  if (!read) return null;
  const { subject = '', from, to, attachments, messageId = '' } = read.email;
  const same = (text: string) => text.replace(/(\/[cowu]\/)[\w/-]+/g, '$1').replaceAll(client.directory, '');
  const headers = read.email.headers.map(({ key }) => key).filter((key) => key !== 'subject' || subject !== '');
  return {
    accepted: accepted.get(messageId),
    headers: headers.sort(),
    subject,
    from,
    to: to?.map(({ address = '' }) => same(address)),
    unsubscribe: same(read.header('list-unsubscribe')).replace(/mailto:[^@]*/, ''),
    text: same(read.text),
    html: same(read.html),
    files: attachments.map(({ filename, mimeType, content }) => [
      filename,
      mimeType,
      Buffer.from(content as ArrayBuffer),
    ]),
  };
}

/** Who handed over and who encoded, told by what is theirs alone: words for a lost connection, the boundaries of parts. */
async function workersOf(name: string) {
  const { rows } = await world.db.pool.query<{ reason: string }>(
    `SELECT d.reason FROM client c JOIN mailing m ON m.client_id = c.id JOIN delivery d ON d.mailing_id = m.id
      WHERE c.name = $1 AND d.status = 'unknown'`,
    [name],
  );
  const { raw } = await mailTo(world.stack.inbox, `p0@${name}.example`);
  return {
    client: rows.some(({ reason }) => reason.endsWith('Connection closed unexpectedly')) ? 'nodemailer' : 'pipelined',
    composer: raw.includes('--_NmP') ? 'nodemailer' : 'segments',
  };
}

let expected: Awaited<ReturnType<typeof sendBy>>['outcomes'];
it('our own way knows every outcome', async () => {
  const { outcomes, workers } = await sendBy({});
  expect(outcomes.slice(3, 9).map(({ status, mail }) => [status, mail?.accepted])).toEqual([
    ['could_not_be_sent', undefined],
    ['could_not_be_sent', undefined],
    ['unknown', undefined],
    ['unknown', undefined],
    ['unknown', 1],
    ['sent', 1],
  ]);
  expect(workers).toEqual({ client: 'pipelined', composer: 'segments' });
  expect(outcomes[0]?.mail).toMatchObject({
    subject: 'Für Jürgen 🎉',
    files: [[FILE.name, FILE.mediaType, FILE.bytes]],
  });
  expected = outcomes;
});

it.each([
  ['nodemailer', 'segments'],
  ['pipelined', 'nodemailer'],
  ['nodemailer', 'nodemailer'],
])('handed over by %s, encoded by %s: the same mails, the same outcomes', async (client, composer) => {
  const { outcomes, workers } = await sendBy({ SMTP_CLIENT: client, MAIL_COMPOSER: composer });
  expect(outcomes).toEqual(expected);
  expect(workers).toEqual({ client, composer });
});
