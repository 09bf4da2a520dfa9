import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SmtpDialogue } from './smtp-dialogue.js';
import { type SmtpInbox, startSmtpInbox } from './smtp-inbox.js';
import { temporaryDirectory } from './temporary-directory.js';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
let inbox: SmtpInbox;
beforeEach(async () => {
  dir = await temporaryDirectory();
  inbox = await startSmtpInbox({ dir: dir.path });
});
afterEach(async () => {
  await inbox.stop();
  await dir[Symbol.asyncDispose]();
});

const message = (id: string, body = 'Hello') => `Subject: x\r\nMessage-ID: <${id}>\r\n\r\n${body}\r\n`;
const envelope = (to = 'anna@example.org') => `MAIL FROM:<bounce@example.net>\r\nRCPT TO:<${to}>\r\nDATA\r\n`;

/** Says EHLO. */
async function greet(): Promise<SmtpDialogue> {
  const client = await SmtpDialogue.connect(inbox.port);
  expect(await client.reply()).toMatch(/^220 /);
  expect(await client.say('EHLO test')).toMatch(/^250[- ]PIPELINING$/m);
  return client;
}

/** EHLO, envelope, message; the answer to the final dot, or null when the connection was cut instead. */
async function send(id: string, to?: string): Promise<string | null> {
  const client = await greet();
  client.write(envelope(to));
  for (const code of [/^250/, /^250/, /^354/]) expect(await client.reply()).toMatch(code);
  client.write(`${message(id)}.\r\n`);
  const answer = await client.reply();
  client.end();
  return answer;
}

test('records the message and its envelope before it answers, byte for byte', async () => {
  const client = await greet();
  client.write(`${envelope()}`);
  for (const code of [/^250/, /^250/, /^354/]) expect(await client.reply()).toMatch(code);
  client.write(`${message('1@x', '..dots\r\n.. and more\r\n\u00e4')}.\r\n`);
  expect(await client.reply()).toMatch(/^250 /);
  const [dot, accepted] = inbox.journal();
  expect(dot).toMatchObject({ type: 'dot', messageId: '<1@x>', code: null });
  expect(accepted).toMatchObject({
    type: 'accepted',
    messageId: '<1@x>',
    envelopeFrom: 'bounce@example.net',
    envelopeTo: ['anna@example.org'],
    code: 250,
  });
  const sent = Buffer.from(message('1@x', '.dots\r\n. and more\r\n\u00e4'));
  expect(accepted && inbox.raw(accepted)).toEqual(sent);
  expect(accepted?.size).toBe(sent.length);
  client.end();
});

test('takes the next envelope in the same write as the message before (RFC 2920)', async () => {
  const client = await greet();
  client.write(envelope());
  for (let n = 0; n < 20; n += 1)
    client.write(`${message(`${n}@x`)}.\r\n${n < 19 ? envelope(`r${n}@example.org`) : ''}`);
  const codes: string[] = [];
  for (let n = 0; n < 80; n += 1) codes.push((await client.reply())?.slice(0, 3) ?? 'cut');
  expect(codes).toEqual(Array.from({ length: 20 }, () => ['250', '250', '354', '250']).flat());
  expect(inbox.counts).toEqual({ dots: 20, accepted: 20, refused: 0, dropped: 0 });
  client.end();
});

test('counts a message that came twice, and goes on counting after a restart', async () => {
  await send('1@x');
  await send('1@x');
  await send('2@x');
  await inbox.stop();
  // What a kill in the middle of a write leaves.
  await appendFile(join(dir.path, 'journal.jsonl'), '{"type":"accep');
  inbox = await startSmtpInbox({ dir: dir.path });
  await send('3@x');
  expect(Object.fromEntries(inbox.acceptedMessageIds())).toEqual({ '<1@x>': 2, '<2@x>': 1, '<3@x>': 1 });
  expect(inbox.counts).toEqual({ dots: 4, accepted: 4, refused: 0, dropped: 0 });
  const last = inbox.journal().at(-1);
  expect(last && inbox.raw(last).toString()).toBe(message('3@x'));
});

test('finds a folded Message-ID, and none in a message without', async () => {
  const client = await greet();
  client.write(`${envelope()}X: 1\r\nmessage-id:\r\n <folded@x>\r\n\r\nMessage-ID: <body@x>\r\n.\r\n`);
  client.write(`${envelope()}\r\nMessage-ID: <body@x>\r\n.\r\n`);
  await inbox.waitForAccepted(2);
  expect([...inbox.acceptedMessageIds()]).toEqual([
    ['<folded@x>', 1],
    ['', 1],
  ]);
  client.end();
});

test('waitForAccepted ends with the event, or says what was counted', async () => {
  const waiting = inbox.waitForAccepted(2, 20_000);
  await send('1@x');
  await expect(inbox.waitForAccepted(2, 30)).rejects.toThrow('1 of 2 messages accepted within 30 ms (dots 1');
  await send('2@x');
  await waiting;
});

describe('rules', () => {
  test('refuse at a stage, for matching recipients, as often as asked', async () => {
    inbox.behave({ match: /@busy\.example$/g, reply: { at: 'rcpt', code: 450, text: '4.7.1 slow down' }, times: 1 });
    inbox.behave({ reply: { at: 'data', code: 554, text: '5.7.1 no' }, match: /^spam@/ });
    const client = await greet();
    await client.say('MAIL FROM:<a@example.net>');
    expect(await client.say('RCPT TO:<x@busy.example>')).toBe('450 4.7.1 slow down');
    expect(await client.say('RCPT TO:<x@busy.example>')).toMatch(/^250/);
    client.end();
    expect(await send('1@x', 'spam@example.org')).toBe('554 5.7.1 no');
    expect(await send('2@x', 'anna@example.org')).toMatch(/^250/);
    expect(inbox.counts).toEqual({ dots: 2, accepted: 1, refused: 1, dropped: 0 });
    expect(inbox.journal().find((entry) => entry.type === 'refused')).toMatchObject({ messageId: '<1@x>', code: 554 });
  });

  test('refuse the connection and the sender', async () => {
    inbox.behave({ reply: { at: 'connect', code: 421, text: 'too busy' }, times: 1 });
    inbox.behave({ reply: { at: 'mail', code: 550, text: '5.1.8 who?' } });
    const refused = await SmtpDialogue.connect(inbox.port);
    expect(await refused.reply()).toBe('421 too busy');
    expect(await refused.reply()).toBeNull();
    const client = await greet();
    expect(await client.say('MAIL FROM:<a@example.net>')).toBe('550 5.1.8 who?');
    inbox.behaveNormally();
    expect(await client.say('MAIL FROM:<a@example.net>')).toMatch(/^250/);
    client.end();
  });

  test.each([
    ['before-dot', { dots: 0, accepted: 0, refused: 0, dropped: 1 }],
    ['after-dot', { dots: 1, accepted: 0, refused: 0, dropped: 1 }],
    ['after-250-lost', { dots: 1, accepted: 1, refused: 0, dropped: 0 }],
  ] as const)('drop the connection %s', async (drop, counts) => {
    inbox.behave({ drop, times: 1 });
    expect(await send('1@x')).toBeNull();
    expect(inbox.counts).toEqual(counts);
    expect(inbox.journal().at(-1)?.messageId).toBe('<1@x>');
    expect(await send('1@x')).toMatch(/^250/);
  });

  test('delay the answer: the message is a dot, and accepted only then', async () => {
    inbox.behave({ delayMs: 150 });
    const before = Date.now();
    expect(await send('1@x')).toMatch(/^250/);
    expect(Date.now() - before).toBeGreaterThanOrEqual(145);
    const [dot, accepted] = inbox.journal().map((entry) => Date.parse(entry.at));
    expect((accepted ?? 0) - (dot ?? 0)).toBeGreaterThanOrEqual(145);
  });
});

test('a client that dies inside a message leaves no trace; one that dies after the dot has delivered', async () => {
  const inside = await greet();
  inside.write(`${envelope()}${message('half@x')}`);
  for (const code of [/^250/, /^250/, /^354/]) expect(await inside.reply()).toMatch(code);
  inside.destroy();
  const after = await greet();
  after.write(`${envelope()}${message('whole@x')}.\r\n`);
  after.end();
  await inbox.waitForAccepted(1);
  expect(inbox.journal().map((entry) => [entry.type, entry.messageId])).toEqual([
    ['dot', '<whole@x>'],
    ['accepted', '<whole@x>'],
  ]);
});
