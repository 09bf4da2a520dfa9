import { once } from 'node:events';
import { connect } from 'node:net';
import { sealTarget } from '@postloop/mail-domain';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestGateway } from './testing/gateway-fixture.js';

let looked = 0;
const gateway = openTestGateway({
  findTarget: async () => {
    looked += 1;
    return { state: 'known', url: 'https://shop.example/' };
  },
});
let port = 0;

beforeAll(async () => {
  port = Number(new URL(await gateway.app.listen({ host: '127.0.0.1', port: 0 })).port);
});
afterAll(() => gateway.app.close());

/** The bytes of an answer. The date is the only thing that may differ. */
async function rawAnswer(line: string, body = ''): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
  socket.end(`${line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${length}\r\n${body}`);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks)
    .toString('latin1')
    .replace(/^Date: .*\r\n/im, '');
}

it('every bad link gets the same bytes, before any look-up', async () => {
  const pixel = gateway.token('pixel', 1);
  const click = gateway.token('click', 3);
  const unsubscribe = gateway.token('unsubscribe', 2);
  const forged = (token: string) => `${token.slice(0, -3)}${token.at(-3) === 'A' ? 'B' : 'A'}${token.slice(-2)}`;
  const sealed = sealTarget(gateway.keyring, click, 'https://shop.example/');
  const foreign = openTestGateway();
  const lines = [
    'GET /',
    'GET /favicon.ico',
    'GET /o/',
    'GET /o/x',
    'GET /o/%zz',
    'GET /c/%00',
    `GET /${'a'.repeat(9_000)}`,
    `GET /o/${'A'.repeat(60)}`,
    `GET /c/${'A'.repeat(8_000)}`,
    ...['/o/', '/c/', '/u/'].map((path) => `GET ${path}${forged(path === '/o/' ? pixel : click)}`),
    `GET /o/${pixel.slice(0, -1)}`,
    `GET /o/${pixel}A`,
    `GET /o/${pixel}/`,
    `GET /o/${click}`,
    `GET /c/${pixel}`,
    `GET /c/${unsubscribe}`,
    `GET /u/${click}`,
    `GET /o/${foreign.token('pixel', 1)}`,
    `GET /c/${click}/${sealed.slice(0, -2)}`,
    `GET /c/${gateway.token('click', 4)}/${sealed}`,
    `GET /c/${click}/${sealed}/more`,
    `POST /o/${pixel}`,
    `POST /c/${click}`,
    `PUT /u/${unsubscribe}`,
    `DELETE /u/${unsubscribe}`,
    `OPTIONS /u/${unsubscribe}`,
  ];
  const expected = await rawAnswer('GET /nothing');
  expect(expected).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
  for (const line of lines) expect(await rawAnswer(line), line.slice(0, 100)).toBe(expected);
  const bodies = ['List-Unsubscribe=One-Click', 'x'.repeat(20_000)];
  for (const body of bodies) expect(await rawAnswer(`POST /u/${forged(unsubscribe)}`, body)).toBe(expected);

  const head = expected.slice(0, expected.indexOf('\r\n\r\n') + 4);
  for (const path of ['/nothing', `/o/${forged(pixel)}`, `/c/${pixel}`])
    expect(await rawAnswer(`HEAD ${path}`)).toBe(head);
  expect(looked).toBe(0);
  expect(gateway.spooled).toEqual([]);
});
