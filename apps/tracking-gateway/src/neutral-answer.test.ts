import { once } from 'node:events';
import { connect } from 'node:net';
import { sealTarget } from '@postloop/mail-domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestGateway } from './testing/gateway-fixture.js';

let looked = 0;
const gateway = openTestGateway({
  findTarget: async () => {
    looked += 1;
    return { state: 'known', url: 'https://shop.example/' };
  },
  findPage: async () => {
    looked += 1;
    return { state: 'known', html: '<p>Hello</p>' };
  },
});
let port = 0;

async function openListening() {
  const opened = openTestGateway({ findTarget: async () => ({ state: 'known', url: 'https://shop.example/' }) });
  return { ...opened, port: Number(new URL(await opened.app.listen({ host: '127.0.0.1', port: 0 })).port) };
}

beforeAll(async () => {
  port = Number(new URL(await gateway.app.listen({ host: '127.0.0.1', port: 0 })).port);
});
afterAll(() => gateway.app.close());

/** The bytes of an answer. The date is the only thing that may differ. */
async function rawAnswer(line: string, body = '', to: { port?: number; field?: string } = {}): Promise<string> {
  const socket = connect(to.port ?? port, '127.0.0.1');
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
  socket.end(
    `${line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${length}${to.field ? `${to.field}\r\n` : ''}\r\n${body}`,
  );
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
    `GET /w/${pixel}`,
    `GET /w/${forged(gateway.token('webVersion', 3))}`,
    `POST /w/${gateway.token('webVersion', 3)}`,
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

describe('a forged, cut or foreign token gets these bytes by every method', () => {
  let whole = '';
  beforeAll(async () => {
    whole = await rawAnswer('GET /nothing');
  });
  const foreign = openTestGateway();
  const bad = (token: string, other: string): [what: string, token: string][] => [
    ['one letter forged', `${token.slice(0, 12)}${token[12] === 'A' ? 'B' : 'A'}${token.slice(13)}`],
    ['its tag forged', `${token.slice(0, -5)}${token.at(-5) === 'A' ? 'B' : 'A'}${token.slice(-4)}`],
    ['cut', token.slice(0, -4)],
    ['too long', `${token}AAAA`],
    ['of another purpose', other],
    ['nothing', '%20'],
  ];
  const pixel = gateway.token('pixel', 1);
  const click = gateway.token('click', 3);
  const unsubscribe = gateway.token('unsubscribe', 2);
  const sealed = sealTarget(gateway.keyring, click, 'https://shop.example/');
  const paths: [what: string, path: string][] = [
    ...bad(pixel, click).map(([what, token]): [string, string] => [what, `/o/${token}`]),
    ...bad(click, pixel).map(([what, token]): [string, string] => [what, `/c/${token}`]),
    ...bad(click, pixel).map(([what, token]): [string, string] => [what, `/c/${token}/${sealed}`]),
    ...bad(unsubscribe, click).map(([what, token]): [string, string] => [what, `/u/${token}`]),
    ...bad(gateway.token('webVersion', 3), click).map(([what, token]): [string, string] => [what, `/w/${token}`]),
    ['of another key', `/o/${foreign.token('pixel', 1)}`],
    ['of another key', `/c/${foreign.token('click', 3)}`],
    ['of another key', `/u/${foreign.token('unsubscribe', 2)}`],
  ];

  it.each(paths)('%s: %s', async (_what, path) => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']) {
      const body = method === 'POST' ? 'List-Unsubscribe=One-Click' : '';
      expect(await rawAnswer(`${method} ${path}`, body), method).toBe(whole);
    }
    expect(await rawAnswer(`HEAD ${path}`)).toBe(whole.slice(0, whole.indexOf('\r\n\r\n') + 4));
    expect([looked, gateway.spooled]).toEqual([0, []]);
  });
});

describe('what only looks changes nothing', () => {
  const looks = [
    ['HEAD', ''],
    ['GET', 'Purpose: prefetch'],
    ['GET', 'Sec-Purpose: prefetch;prerender'],
    ['GET', 'X-Moz: prefetch'],
  ] as const;
  it.each(looks)('%s %s', async (method, field) => {
    const { port, app, spooled, token, keyring } = await openListening();
    const click = token('click', 3);
    const sealed = sealTarget(keyring, click, 'https://shop.example/');
    for (const [path, status] of [
      [`/o/${token('pixel', 1)}`, 200],
      [`/c/${click}`, 302],
      [`/c/${click}/${sealed}`, 302],
      [`/u/${token('unsubscribe', 2)}?List-Unsubscribe=One-Click`, 200],
    ] as const)
      expect(await rawAnswer(`${method} ${path}`, '', { port, field })).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(spooled).toEqual([]);
    await app.close();
  });
});
