import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { checkSmtp } from './smtp.js';

/** A server that says what it is told to, one answer per line that it hears. */
async function server(answers: Record<string, string>): Promise<{ port: number; heard: string[] } & AsyncDisposable> {
  const heard: string[] = [];
  const listener = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(answers.greeting ?? '220 ready\r\n');
    socket.on('data', (chunk) => {
      const line = chunk.toString().trim();
      heard.push(line);
      socket.write(answers[line.split(' ')[0] ?? ''] ?? '250 ok\r\n');
    });
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return {
    port,
    heard,
    async [Symbol.asyncDispose]() {
      listener.close();
      await once(listener, 'close');
    },
  };
}

const look = (port: number, user = '', requireTls = false) =>
  checkSmtp({ url: `smtp://${user}127.0.0.1:${port}`, requireTls, helloName: 'mail.shop.example' });

it('a server that takes mail is told so, and hears no mail', async () => {
  await using smtp = await server({ EHLO: '250-hello\r\n250 PIPELINING\r\n', QUIT: '221 bye\r\n', AUTH: '235 ok\r\n' });
  expect(await look(smtp.port, 'us%40er:p%3Aw@')).toMatchObject({ status: 'ok' });
  const login = Buffer.from('\0us@er\0p:w').toString('base64');
  expect(smtp.heard).toEqual(['EHLO mail.shop.example', `AUTH PLAIN ${login}`, 'QUIT']);
});

it.each([
  ['smtp_login', { AUTH: '535 5.7.8 no\r\n' }, 'u:p@', false],
  ['smtp_tls', {}, '', true],
  ['smtp_tls', { EHLO: '250-hello\r\n250 STARTTLS\r\n', STARTTLS: '454 not now\r\n' }, '', false],
  ['smtp_failed', { greeting: '554 5.3.2 closed\r\n' }, '', false],
] as const)('%s: %j', async (code, answers, user, requireTls) => {
  await using smtp = await server(answers);
  expect(await look(smtp.port, user, requireTls)).toMatchObject({ status: 'fail', code, remedy: expect.any(String) });
});

it('a password never stands in what is told', async () => {
  await using smtp = await server({ AUTH: '535 no\r\n' });
  expect(JSON.stringify(await look(smtp.port, 'u:secret@'))).not.toContain('secret');
});
