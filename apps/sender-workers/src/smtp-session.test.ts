import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { RenderedMail } from '@postloop/mail-domain';
import { describe, expect, it } from 'vitest';
import { SmtpSession } from './smtp-session.js';
import { hangUpAt, serveSmtp } from './testing/scripted-server.js';

async function session(port: number, pipelining: boolean): Promise<SmtpSession> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return new SmtpSession(socket, { pipelining, timeoutMs: 5_000 });
}

const mail = (name: string): RenderedMail => ({
  messageId: `<${name}@x>`,
  envelopeFrom: 'b@x.example',
  envelopeTo: `${name}@y.example`,
  data: Buffer.from(`Subject: ${name}\r\n\r\nbody\r\n`),
});

describe.each([true, false])('with PIPELINING %s', (pipelining) => {
  it('hands several mails over in order, each answered on its own', async () => {
    const { port, heard } = await serveSmtp((line) => (line.includes('two@') ? '550 5.1.1 nobody' : undefined));
    const smtp = await session(port, pipelining);
    const outcomes = await Promise.all(['one', 'two', 'three'].map((name) => smtp.send(mail(name))));
    smtp.quitWhenIdle();

    expect(outcomes).toEqual([
      { kind: 'accepted', reply: { code: 250, text: 'ok' } },
      { kind: 'refused', reply: { code: 550, text: '5.1.1 nobody' }, stage: 'recipient' },
      { kind: 'accepted', reply: { code: 250, text: 'ok' } },
    ]);
    const subjects = heard.filter((line) => line.startsWith('Subject')).map((line) => line.split('\r\n')[0]);
    expect(subjects).toEqual(['Subject: one', 'Subject: three']);
  });

  it('has the server forget a refused transaction before the next one', async () => {
    const { port, heard } = await serveSmtp((line) => {
      if (line === 'RCPT TO:<one@y.example>') return '550 no';
      return line === 'DATA' && !heard.includes('RSET') ? '503 no recipients' : undefined;
    });
    const smtp = await session(port, pipelining);
    const outcomes = await Promise.all([smtp.send(mail('one')), smtp.send(mail('two'))]);

    expect(outcomes.map(({ kind }) => kind)).toEqual(['refused', 'accepted']);
    expect(heard.indexOf('RSET')).toBeGreaterThan(heard.indexOf('RCPT TO:<one@y.example>'));
    expect(heard.indexOf('RSET')).toBeLessThan(heard.indexOf('RCPT TO:<two@y.example>'));
  });

  it('tells a connection that was lost before the dot from one that was lost after it', async () => {
    const before = await serveSmtp(hangUpAt('RCPT'));
    expect(await (await session(before.port, pipelining)).send(mail('one'))).toMatchObject({
      kind: 'lost',
      dotWritten: false,
    });
    const after = await serveSmtp(hangUpAt('Subject'));
    expect(await (await session(after.port, pipelining)).send(mail('one'))).toMatchObject({
      kind: 'lost',
      dotWritten: true,
    });
  });

  it('421 closes the session: the mail it answers is refused, later ones are not handed over', async () => {
    const { port } = await serveSmtp((line) => (line.startsWith('MAIL') ? '421 4.3.2 closing' : undefined));
    const smtp = await session(port, pipelining);
    const [first, second] = await Promise.all([smtp.send(mail('one')), smtp.send(mail('two'))]);
    expect([first, second].map(({ kind }) => kind)).toEqual(['refused', 'lost']);
    expect(smtp.isOpen).toBe(false);
    expect(await smtp.send(mail('three'))).toMatchObject({ kind: 'lost', dotWritten: false });
  });
});

it('with PIPELINING the next envelope goes out before the answer to the message is there', async () => {
  let answerFirst: (() => void) | undefined;
  const { port } = await serveSmtp((line, socket) => {
    if (line.startsWith('Subject: one')) {
      answerFirst = () => socket.write('250 first\r\n');
      return '';
    }
    if (line.startsWith('MAIL')) answerFirst?.();
    return undefined;
  });
  const smtp = await session(port, true);
  expect(await Promise.all([smtp.send(mail('one')), smtp.send(mail('two'))])).toEqual([
    { kind: 'accepted', reply: { code: 250, text: 'first' } },
    { kind: 'accepted', reply: { code: 250, text: 'ok' } },
  ]);
});

it('answers an unwanted 354 with an empty message', async () => {
  const { port, heard } = await serveSmtp((line) => {
    if (line.startsWith('RCPT')) return '550 no';
    return line === '' ? '554 no valid recipients' : undefined;
  });
  const smtp = await session(port, true);
  expect(await smtp.send(mail('one'))).toMatchObject({ kind: 'refused', reply: { code: 550 } });
  expect(heard).not.toContainEqual(expect.stringContaining('Subject'));
});

it('a server that does not speak SMTP loses the connection, not the worker', async () => {
  const { port } = await serveSmtp(() => 'hello there');
  expect(await (await session(port, true)).send(mail('one'))).toMatchObject({ kind: 'lost', dotWritten: false });
});

it('a server that answers before it has read gets every mail as it is: no bytes are used again while they wait', async () => {
  const large = (name: string): RenderedMail => ({ ...mail(name), data: Buffer.alloc(8 * 1024 * 1024, `${name}\r\n`) });
  const mails = [large('one'), large('two')];
  const received: Buffer[] = [];
  const server = createServer((socket) => {
    // All answers at once, and nothing is read until they have worked.
    socket.write('250 ok\r\n250 ok\r\n354 go\r\n'.repeat(2).replace('go\r\n250', 'go\r\n250 taken\r\n250'));
    socket.on('data', (bytes) => received.push(bytes)).pause();
    setImmediate(() => socket.resume());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const smtp = await session((server.address() as AddressInfo).port, true);
  const [first] = [smtp.send(mails[0] as RenderedMail), smtp.send(mails[1] as RenderedMail)];
  await first;
  const envelope = (name: string) => `MAIL FROM:<b@x.example>\r\nRCPT TO:<${name}@y.example>\r\nDATA\r\n`;
  const expected = Buffer.concat([
    ...[Buffer.from(envelope('one')), mails[0]?.data ?? Buffer.alloc(0), Buffer.from(`.\r\n${envelope('two')}`)],
    ...[mails[1]?.data ?? Buffer.alloc(0), Buffer.from('.\r\n')],
  ]);
  await expect.poll(() => Buffer.concat(received).length).toBe(expected.length);
  expect(Buffer.concat(received).equals(expected)).toBe(true);
  server.close();
});
