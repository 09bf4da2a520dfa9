import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { parseConfig, smtpConfig, transportsOf } from '@postloop/service-kit';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { checkTransports } from './smtp.js';

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

async function transportsFor(env: Record<string, string>) {
  const named = { SMTP_HELLO_NAME: 'mail.shop.example', ...env };
  return checkTransports(transportsOf(parseConfig(z.object(smtpConfig), named)));
}
const look = async (port: number, user = '', env: Record<string, string> = {}) => {
  const [result] = await transportsFor({ SMTP_URL: `smtp://${user}127.0.0.1:${port}`, ...env });
  return result;
};
/** Password logins go over TLS unless it was said otherwise; these servers have none. */
const PLAIN = { SMTP_REQUIRE_TLS: 'false' };

it('a server that takes mail is told so, and hears no mail', async () => {
  await using smtp = await server({ EHLO: '250-hello\r\n250 PIPELINING\r\n', QUIT: '221 bye\r\n', AUTH: '235 ok\r\n' });
  expect(await look(smtp.port, 'us%40er:p%3Aw@', PLAIN)).toMatchObject({ status: 'ok' });
  const login = Buffer.from('\0us@er\0p:w').toString('base64');
  expect(smtp.heard).toEqual(['EHLO mail.shop.example', `AUTH PLAIN ${login}`, 'QUIT']);
});

it('a server that knows only AUTH LOGIN is logged in to', async () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const answers = { EHLO: '250-hello\r\n250 AUTH LOGIN\r\n', AUTH: '334 VXNlcg==\r\n', QUIT: '221 bye\r\n' };
  await using smtp = await server({ ...answers, [base64('u')]: '334 UGFzcw==\r\n', [base64('p')]: '235 ok\r\n' });
  expect(await look(smtp.port, 'u:p@', PLAIN)).toMatchObject({
    status: 'ok',
    found: expect.stringContaining('logged in'),
  });
});

const TLS = { SMTP_REQUIRE_TLS: 'true' };
it.each<[string, Record<string, string>, string, Record<string, string>]>([
  ['smtp_login', { AUTH: '535 5.7.8 no\r\n' }, 'u:p@', PLAIN],
  ['smtp_tls', {}, '', TLS],
  ['smtp_tls', {}, 'u:p@', {}],
  ['smtp_tls', { EHLO: '250-hello\r\n250 STARTTLS\r\n', STARTTLS: '454 not now\r\n' }, '', {}],
  ['smtp_failed', { greeting: '554 5.3.2 closed\r\n' }, '', {}],
])('%s: %j %s %j', async (code, answers, user, env) => {
  await using smtp = await server(answers);
  expect(await look(smtp.port, user, env)).toMatchObject({ status: 'fail', code, remedy: expect.any(String) });
  if (code === 'smtp_tls') expect(smtp.heard.join()).not.toContain('AUTH');
});

it('every transport is looked at and named', async () => {
  await using good = await server({ QUIT: '221 bye\r\n' });
  await using bad = await server({ greeting: '554 closed\r\n' });
  const results = await transportsFor({
    SMTP_URL: `smtp://127.0.0.1:${good.port}`,
    SMTP_TRANSPORTS: JSON.stringify({ relay: { url: `smtp://127.0.0.1:${bad.port}` } }),
  });
  expect(results.map(({ code, found }) => [code, found.split(':')[0]])).toEqual([
    ['ok', 'transport default'],
    ['smtp_failed', 'transport relay'],
  ]);
  expect(results[1]?.remedy).toContain('SMTP_TRANSPORTS');
});

it('a password never stands in what is told, though the server repeats it', async () => {
  const login = Buffer.from('\0u\0secret').toString('base64');
  await using smtp = await server({ AUTH: `535 ${login} is no login, nor is secret\r\n` });
  const told = JSON.stringify(await look(smtp.port, 'u:secret@', PLAIN));
  expect(told).toContain('is no login');
  for (const secret of ['secret', login]) expect(told).not.toContain(secret);
});
