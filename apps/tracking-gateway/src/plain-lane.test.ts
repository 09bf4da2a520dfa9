import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { sealTarget } from '@postloop/mail-domain';
import { afterEach, describe, expect, it } from 'vitest';
import { PIXEL } from './answers.js';
import { PlainConnection } from './plain-connection.js';
import { openTestGateway } from './testing/gateway-fixture.js';

const SHOP = { findTarget: async () => ({ state: 'known' as const, url: 'https://shop.example/?a=1#b' }) };

const opened: { close: () => PromiseLike<unknown> }[] = [];
afterEach(() => Promise.all(opened.splice(0).map(({ close }) => close())));

async function listening(options: Parameters<typeof openTestGateway>[0] = SHOP) {
  const gateway = openTestGateway(options);
  const port = Number(new URL(await gateway.app.listen({ host: '127.0.0.1', port: 0 })).port);
  opened.push({ close: () => gateway.app.close() });
  const accepted = new Promise<Socket>((resolve) => gateway.app.server.once('connection', resolve));
  return { ...gateway, port, accepted };
}

const BARE = { answer: () => undefined, handOver: () => undefined, keepAliveMs: 60_000, nowMs: Date.now };

const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\nHost: t.example\r\nUser-Agent: Me\r\n${fields}\r\n`;
/** HTTP's own server gets a request with this; it means nothing to anybody. */
const NOT_PLAIN = 'X-Moz: none\r\n';

/** A connection, and what has come back on it, date apart. */
async function dial(port: number) {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  const received = () => text.replaceAll(/^Date: .*\r\n/gm, '');
  const answers = () => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => Number(code));
  const answered = async (count: number) => {
    while (answers().length < count) await once(socket, 'data');
    return answers();
  };
  return { socket, received, answers, answered, gone: () => (socket.closed ? undefined : once(socket, 'close')) };
}

describe('the answer is that of HTTP’s own server, to the byte', () => {
  const unknown = { findTarget: async () => ({ state: 'unknown' as const }) };
  const broken = {
    findTarget: () => {
      throw new Error('nobody foresaw this');
    },
  };
  const away = { findTarget: async () => ({ state: 'unavailable' as const }) };
  it.each([
    ['an open', SHOP, 200, 1],
    ['a click', SHOP, 302, 1],
    ['a personalised click', SHOP, 302, 1],
    ['a forged token', SHOP, 404, 0],
    ['a path that is none', SHOP, 404, 0],
    ['a click that leads nowhere', unknown, 404, 1],
    ['a click whose target nobody knows now', away, 503, 1],
    ['a click at which the gateway itself fails', broken, 503, 0],
    ['an open that cannot be kept', { ...SHOP, spoolFails: true }, 503, 0],
  ] as const)('%s', async (what, options, code, events) => {
    const secret = randomBytes(32);
    const ways = [];
    for (const http of ['lane', 'node'] as const) {
      const { port, token, keyring, spooled, registry } = await listening({ ...options, http, secret });
      const click = token('click', 3);
      const paths: Record<string, string> = {
        'a forged token': `/o/${token('click', 1)}`,
        'a path that is none': '/x/y',
        'a personalised click': `/c/${click}/${sealTarget(keyring, click, 'https://shop.example/ü')}`,
      };
      const { socket, answered, received, gone } = await dial(port);
      socket.write(get(paths[what] ?? (what.includes('open') ? `/o/${token('pixel', 1)}` : `/c/${click}`)));
      expect(await answered(1)).toEqual([code]);
      socket.end();
      await gone();
      const counted = (await registry.metrics()).match(/^postloop_gateway_(?:answers|events_lost)_total.*/gm);
      ways.push({ bytes: received(), spooled: spooled.map((event) => ({ ...event, id: '' })), counted });
    }
    expect(ways[0]).toEqual(ways[1]);
    expect(ways[0]?.spooled).toHaveLength(events);
  });
});

describe.each(['lane', 'node'] as const)('on one connection (%s)', (http) => {
  const shop = { ...SHOP, http };
  it('requests of all kinds are answered in their order, each event once', async () => {
    const { port, token, spooled } = await listening(shop);
    const [open, click] = [`/o/${token('pixel', 1)}`, `/c/${token('click', 3)}`];
    const { socket, answered } = await dial(port);
    socket.write(get(open));
    await answered(1);
    socket.write(get(click));
    await answered(2);
    socket.write(`${get(open)}${get('/nothing')}${get(click)}`);
    await answered(5);
    socket.write(get(click).slice(0, 20));
    socket.write(get(click).slice(20));
    await answered(6);
    socket.write(get(open));
    expect(await answered(7)).toEqual([200, 302, 200, 404, 302, 302, 200]);
    expect(spooled.map(({ kind }) => kind)).toEqual(['open', 'click', 'open', 'click', 'click', 'open']);
    socket.end();
  });

  it('who does not wait for an answer gets all of them, also when nothing more will come', async () => {
    const { port, token, spooled, hold, accepted } = await listening({ ...shop, holds: true });
    const { socket, answers, gone } = await dial(port);
    socket.write(get(`/o/${token('pixel', 1)}`));
    await hold.waiting(1);
    socket.end(`${get(`/c/${token('click', 3)}`)}${get('/nothing')}`);
    if (http === 'lane') await once(await accepted, 'pause');
    hold.release();
    await gone();
    expect(answers()).toEqual([200, 302, 404]);
    expect(spooled.map(({ kind }) => kind)).toEqual(['open', 'click']);
  });

  it('bytes that would be a second request for a careless reader are none', async () => {
    const { port, token, spooled } = await listening(shop);
    const hidden = get(`/o/${token('pixel', 1)}`);
    const path = `/c/${token('click', 3)}`;
    const bodies = [
      [`Content-Length: ${hidden.length}\r\n`, [302]],
      [`Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n`, [400]],
      [`Transfer-Encoding: chunked\r\nContent-Length: ${hidden.length}\r\n`, [400]],
      [`Content-Length : ${hidden.length}\r\n`, [400]],
      [`A: b\r\n Content-Length: ${hidden.length}\r\n`, [400]],
      [`A: b\nContent-Length: ${hidden.length}\r\n`, [400]],
    ] as const;
    for (const [fields, codes] of bodies) {
      spooled.splice(0);
      const { socket, answers, gone } = await dial(port);
      socket.end(`${get(path, fields)}${hidden}`);
      await gone();
      expect(answers(), fields).toEqual(codes);
      expect(spooled, fields).toHaveLength(codes.filter((code) => code < 400).length);
    }
  });
});

it('who takes no answers is handed over with the next request', async () => {
  await using server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connected = once(server, 'connection');
  const { socket } = await dial((server.address() as AddressInfo).port);
  const [accepted] = (await connected) as [Socket];
  accepted.cork();
  const given = new Promise<Buffer>((resolve) => {
    const handOver = (handed: Socket) => handed.once('data', resolve);
    new PlainConnection(accepted, { ...BARE, answer: async () => PIXEL, handOver });
  });
  const asked = once(accepted, 'data');
  socket.write(get('/o/first'));
  await asked;
  socket.write(get('/o/second'));
  expect((await given).toString()).toBe(get('/o/second'));
  accepted.destroy();
});

describe('the end of a connection', () => {
  it('comes at once when the gateway stops and it is idle, else after its answer', async () => {
    const { port, token, spooled, hold, app } = await listening({ ...SHOP, holds: true });
    const [idle, busy] = [await dial(port), await dial(port)];
    busy.socket.write(get(`/o/${token('pixel', 1)}`));
    await hold.waiting(1);
    const closed = app.close();
    await idle.gone();
    hold.release();
    await Promise.all([busy.gone(), closed]);
    expect(busy.received()).toMatch(/^HTTP\/1\.1 200 OK\r\n(.+\r\n)+Connection: close\r\n\r\nGIF89a/);
    expect(spooled).toHaveLength(1);
  });

  it('is the end of what is asked on it: a request that comes too late is no event', async () => {
    const { port, token, spooled, hold, app, accepted } = await listening({ ...SHOP, holds: true });
    const [busy, idle] = [await dial(port), await dial(port)];
    const pixel = get(`/o/${token('pixel', 1)}`);
    busy.socket.write(pixel);
    await hold.waiting(1);
    const closed = app.close();
    await idle.gone();
    const late = once(await accepted, 'data');
    busy.socket.write(pixel);
    await late;
    hold.release();
    await Promise.all([busy.gone(), closed]);
    expect(busy.answers()).toEqual([200]);
    expect(busy.received()).toContain('Connection: close\r\n');
    expect(spooled).toHaveLength(1);
  });

  it('does not come for one that has gone over to HTTP’s own server before that has answered', async () => {
    const { port, token, hold, app } = await listening({ ...SHOP, holds: true });
    const [idle, { socket, received, answered, gone }] = [await dial(port), await dial(port)];
    socket.write(get(`/o/${token('pixel', 1)}`, NOT_PLAIN));
    await hold.waiting(1);
    const closed = app.close();
    await idle.gone();
    hold.release();
    await answered(1);
    socket.end();
    await Promise.all([gone(), closed]);
    expect(received()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('comes when nothing is asked for long', async () => {
    const { port, accepted } = await listening();
    const { gone } = await dial(port);
    new PlainConnection(await accepted, { ...BARE, keepAliveMs: 1 });
    await gone();
  });

  it('may come from the reader at any time; the event is kept, and others are answered', async () => {
    const { port, token, spooled, hold } = await listening({ ...SHOP, holds: true });
    const lost = await dial(port);
    lost.socket.write(get(`/o/${token('pixel', 1)}`));
    await hold.waiting(1);
    lost.socket.resetAndDestroy();
    await lost.gone();
    hold.release();
    const { socket, answered } = await dial(port);
    socket.write(get(`/c/${token('click', 3)}`));
    expect(await answered(1)).toEqual([302]);
    expect(spooled.map(({ kind }) => kind)).toEqual(['open', 'click']);
  });
});
