import { createSocket, type Socket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ContentError } from './content-error.js';
import { type ContentFetcher, createContentFetcher, type FetchRules } from './fetch-content.js';

// 127.0.0.2 plays the customer's server (its network is allowed), 127.0.0.1 what must never be reached.
const OPEN = '127.0.0.2';
const CLOSED = '127.0.0.1';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(handler: RequestListener, address = OPEN): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  const server = createServer(handler).on('connection', () => {
    connections += 1;
  });
  server.listen(0, address);
  await once(server, 'listening');
  closing.push(() => closeServer(server));
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function fetcher(rules: Partial<FetchRules> = {}): ContentFetcher {
  const made = createContentFetcher({
    networks: [`${OPEN}/32`],
    maxBytes: 10_000,
    timeoutMs: 5_000,
    restMs: 60_000,
    ...rules,
  });
  closing.push(() => made[Symbol.asyncDispose]());
  return made;
}

async function faultOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ContentError)) throw new Error(`expected a ContentError, got ${error}`);
  return error.fault;
}

describe('content', () => {
  it('comes with its type', async () => {
    const { port } = await serve((_, response) => {
      response.setHeader('content-type', 'Text/HTML; charset="ISO-8859-1"').end('<b>hello</b>');
    });
    const content = await fetcher().fetch(`http://${OPEN}:${port}/a?b=1#c`, [OPEN]);
    expect({ ...content, bytes: content.bytes.toString() }).toEqual({
      bytes: '<b>hello</b>',
      mediaType: 'text/html',
      charset: 'iso-8859-1',
    });
  });

  it('is fetched through redirects, each of them checked', async () => {
    const inside = await serve((_, response) => response.end('secret'), CLOSED);
    const { port } = await serve((request, response) => {
      const to = {
        '/ok': '/here',
        '/inside': `http://${CLOSED}:${inside.port}/`,
        '/loop': '/loop',
        '/file': 'file:///etc/passwd',
      };
      const location = to[request.url as keyof typeof to];
      if (location) response.writeHead(302, { location }).end();
      else response.end('found');
    });
    const from = (path: string) => fetcher().fetch(`http://${OPEN}:${port}${path}`, [OPEN, CLOSED]);
    expect((await from('/ok')).bytes.toString()).toBe('found');
    expect(await faultOf(from('/inside'))).toBe('address_not_allowed');
    expect(await faultOf(from('/loop'))).toBe('too_many_redirects');
    expect(await faultOf(from('/file'))).toBe('bad_url');
    expect(inside.connections()).toBe(0);
  });
});

describe('addresses that are not public are refused in every spelling', () => {
  it.each([
    '127.0.0.1',
    'localhost',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '017700000001',
    '127.1',
    '%31%32%37.0.0.1',
    '１２７.0.0.1',
    '[::1]',
    '[::]',
    '0.0.0.0',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '[fe80::1]',
    '[fc00::1]',
    '[ff02::1]',
    '[fec0::1]',
  ])('%s', async (host) => {
    const inside = await serve((_, response) => response.end('secret'), CLOSED);
    const url = `http://${host}:${inside.port}/`;
    const anyHost = { hosts: [new URL(url).hostname.replace(/^\[|\]$/g, '')] };
    const hosts = anyHost.hosts.filter((name) => !name.includes(':'));
    expect(['address_not_allowed', 'host_not_allowed']).toContain(await faultOf(fetcher().fetch(url, hosts)));
    expect(inside.connections()).toBe(0);
  });

  it('a name whose answer changes between check and connect leads nowhere else', async () => {
    const inside = await serve((_, response) => response.end('secret'), CLOSED);
    const dns = await startNameServer([CLOSED, OPEN]);
    const rebinding = fetcher({ resolve: dns.resolve });
    const url = `http://rebind.example:${inside.port}/`;
    // The first answer is refused, the second is the allowed one, where nobody listens on this port.
    expect(await faultOf(rebinding.fetch(url, ['rebind.example']))).toBe('address_not_allowed');
    expect(await faultOf(rebinding.fetch(url, ['rebind.example']))).toBe('unreachable');
    expect(await faultOf(rebinding.fetch(url, ['rebind.example']))).toBe('address_not_allowed');
    expect(inside.connections()).toBe(0);
  });
});

it('only hosts of the list, with their subdomains when it says so', async () => {
  const { port } = await serve((_, response) => response.end('x'));
  const dns = await startNameServer([OPEN]);
  const from = (host: string, hosts: string[]) =>
    fetcher({ resolve: dns.resolve }).fetch(`http://${host}:${port}/`, hosts);
  await from('cdn.shop.example', ['*.shop.example']);
  await from('SHOP.example.', ['shop.example']);
  expect(await faultOf(from('shop.example', ['*.shop.example']))).toBe('host_not_allowed');
  expect(await faultOf(from('evilshop.example', ['*.shop.example', 'shop.example']))).toBe('host_not_allowed');
  expect(await faultOf(from('shop.example.evil.example', ['shop.example']))).toBe('host_not_allowed');
});

it.each([
  'ftp://shop.example/',
  'javascript:alert(1)',
  'http://user:secret@shop.example/',
  '//shop.example/',
  'shop.example',
  '',
])('%j is no URL to fetch', async (url) => {
  expect(await faultOf(fetcher().fetch(url, ['shop.example']))).toBe('bad_url');
});

describe('a server that misbehaves', () => {
  it('endless, larger than it says, compressed or failing: refused', async () => {
    const { port } = await serve((request, response) => {
      if (request.url === '/endless') {
        const more = (): void => {
          while (response.write('x'.repeat(1_000)));
          response.once('drain', more);
        };
        more();
      } else if (request.url === '/large') response.writeHead(200, { 'content-length': '99999999' }).flushHeaders();
      else if (request.url === '/gzip') response.writeHead(200, { 'content-encoding': 'gzip' }).end('bomb');
      else response.writeHead(500).end();
    });
    const from = (path: string) => faultOf(fetcher().fetch(`http://${OPEN}:${port}${path}`, [OPEN]));
    expect(await from('/endless')).toBe('too_large');
    expect(await from('/large')).toBe('too_large');
    expect(await from('/gzip')).toBe('bad_encoding');
    expect(await from('/broken')).toBe('bad_status');
  });

  it('that promises more than it sends is unreachable, not half read', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this'));
    });
    server.listen(0, OPEN);
    await once(server, 'listening');
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    expect(await faultOf(fetcher().fetch(`http://${OPEN}:${port}/`, [OPEN]))).toBe('unreachable');
  });

  it('that is silent costs one time-out, not one per recipient', async () => {
    let asked = 0;
    const { port } = await serve(() => {
      asked += 1;
    });
    const patient = fetcher({ timeoutMs: 300 });
    for (let recipient = 0; recipient < 5; recipient += 1)
      expect(await faultOf(patient.fetch(`http://${OPEN}:${port}/${recipient}`, [OPEN]))).toBe('timeout');
    expect(asked).toBe(1);
  });

  it('that trickles is cut off at the deadline', async () => {
    const { port } = await serve((_, response) => {
      const drip = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(drip));
    });
    expect(await faultOf(fetcher({ timeoutMs: 300 }).fetch(`http://${OPEN}:${port}/`, [OPEN]))).toBe('timeout');
  });
});

/** A name server that gives these answers in turn (RFC 1035 4.1), without a lifetime. */
async function startNameServer(answers: string[]): Promise<{ resolve: NonNullable<FetchRules['resolve']> }> {
  const socket: Socket = createSocket('udp4');
  let asked = 0;
  socket.on('message', (query, peer) => {
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const isA = question.readUInt16BE(question.length - 4) === 1;
    const header = Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0]);
    const address = isA ? (answers[asked++ % answers.length] ?? '').split('.').map(Number) : [];
    const answer = isA ? Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address]) : Buffer.alloc(0);
    socket.send(Buffer.concat([header, question, answer]), peer.port, peer.address);
  });
  socket.bind(0, CLOSED);
  await once(socket, 'listening');
  closing.push(() => socket.close());
  const resolver = new Resolver();
  resolver.setServers([`${CLOSED}:${socket.address().port}`]);
  return {
    resolve: async (host) => (await resolver.resolve4(host)).map((address) => ({ address, family: 4 })),
  };
}
