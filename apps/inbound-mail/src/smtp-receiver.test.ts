import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from '@postloop/db';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.js';
import { ownAddresses } from './own-addresses.js';
import { type ReceiverOptions, startReceiver } from './smtp-receiver.js';
import { makeCertificate } from './testing/certificate.js';
import { ADA, DOMAIN, keyring, returnPathOf } from './testing/inbound-fixture.js';
import { SmtpClient } from './testing/smtp-client.js';

const open: AsyncDisposable[] = [];
const clients: SmtpClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.end();
  for (const server of open.splice(0)) await server[Symbol.asyncDispose]();
});

const own = ownAddresses({
  keyring,
  returnPathDomain: DOMAIN,
  addresses: new Set(['service@shop.example']),
  domains: new Set(['replies.example']),
});

async function receiver(options: Partial<ReceiverOptions> = {}) {
  const stored: IncomingMessage[] = [];
  const server = await startReceiver({
    host: '127.0.0.1',
    port: 0,
    name: DOMAIN,
    maxBytes: 100_000,
    bufferBytes: 1_000_000,
    connections: 50,
    connectionsPerAddress: 50,
    ratePerMinute: 1_000,
    tls: undefined,
    accepts: own.accepts,
    store: async (message) => {
      stored.push(message);
      return 'stored';
    },
    now: () => new Date('2026-07-01T10:00:00Z'),
    metrics: createMetrics(new Registry()),
    log: { warn: () => undefined },
    ...options,
  });
  open.push(server);
  const connect = async () => {
    const client = await SmtpClient.connect(server.port);
    clients.push(client);
    return client;
  };
  return { connect, stored };
}

describe('a recipient', () => {
  it.each([
    ['a return path', () => returnPathOf(ADA)],
    ['a return path in capitals', () => returnPathOf(ADA).toUpperCase()],
    ['a sender address', () => 'Service@Shop.example'],
    ['any address of a domain that is ours', () => 'x.y@replies.example'],
  ])('may be %s', async (_what, address) => {
    const client = await (await receiver()).connect();
    await client.say('MAIL FROM:<>');
    expect(await client.say(`RCPT TO:<${address()}>`)).toMatch(/^250/);
  });

  it.each([
    ['a forged return path', () => returnPathOf(ADA).replace(/.(?=@)/, (last) => (last === 'a' ? 'b' : 'a'))],
    ['a cut return path', () => returnPathOf(ADA).replace(/.@/, '@')],
    ['a return path at another domain', () => returnPathOf(ADA).replace(DOMAIN, 'evil.example')],
    ['another address of the sender domain', () => 'ceo@shop.example'],
    ['a subdomain', () => 'a@x.replies.example'],
    ['an address without a domain', () => 'postmaster'],
  ])('is not %s: 550 before a byte of the message', async (_what, address) => {
    const client = await (await receiver()).connect();
    await client.say('MAIL FROM:<>');
    expect(await client.say(`RCPT TO:<${address()}>`)).toMatch(/^550 5\.1\.1 /);
    expect(await client.say('DATA')).toMatch(/^5/);
  });

  it('is one of 100 at most', async () => {
    const client = await (await receiver()).connect();
    await client.say('MAIL FROM:<>');
    for (let n = 0; n < 100; n += 1) expect(await client.say(`RCPT TO:<${n}@replies.example>`)).toMatch(/^250/);
    expect(await client.say('RCPT TO:<100@replies.example>')).toMatch(/^452 4\.5\.3 /);
  });
});

describe('a message', () => {
  it('is stored byte for byte, with its envelope, before 250', async () => {
    const storing = gate();
    const { connect } = await receiver({ store: storing.store });
    const client = await connect();
    let answered = false;
    const reply = client.send('service@shop.example', 'Subject: x\r\n\r\n..dot\r\n\xe4', 'eve@x.example');
    void reply.then(() => {
      answered = true;
    });
    const message = await storing.next();
    expect(answered).toBe(false);
    storing.open();
    expect(await reply).toMatch(/^250/);
    expect(message).toMatchObject({
      source: 'smtp',
      envelopeFrom: 'eve@x.example',
      envelopeTo: ['service@shop.example'],
    });
    expect(message.raw.toString()).toBe('Subject: x\r\n\r\n.dot\r\n\xe4\r\n');
  });

  it('that cannot be stored is to be sent again', async () => {
    const { connect } = await receiver({ store: () => Promise.reject(new Error('the database is away')) });
    const client = await connect();
    expect(await client.send('service@shop.example', 'x')).toMatch(/^451 4\.3\.0 /);
  });

  it('over the limit is refused, and the connection goes on', async () => {
    const { connect, stored } = await receiver();
    const client = await connect();
    expect(await client.say(`MAIL FROM:<> SIZE=100001`)).toMatch(/^552/);
    expect(await client.send('service@shop.example', Buffer.alloc(150_000, 'x\r\n'))).toMatch(/^552 5\.3\.4 /);
    expect(await client.send('service@shop.example', 'x')).toMatch(/^250/);
    expect(stored).toHaveLength(1);
  });

  it('without end is cut off', async () => {
    const { connect } = await receiver();
    const client = await connect();
    await client.say('MAIL FROM:<>');
    await client.say('RCPT TO:<service@shop.example>');
    await client.say('DATA');
    for (let n = 0; n < 12; n += 1) client.write(Buffer.alloc(100_000, 'x\r\n'));
    expect(await client.reply()).toBe('');
  });

  it('has to wait while too many are taken over', async () => {
    const storing = gate();
    const { connect } = await receiver({ bufferBytes: 100_000, store: storing.store });
    const [first, second] = [await connect(), await connect()];
    const big = Buffer.alloc(80_000, 'x\r\n');
    const sent = first.send('service@shop.example', big);
    // It holds its bytes until it is stored.
    await storing.next();
    expect(await second.send('service@shop.example', big)).toMatch(/^452 4\.3\.1 /);
    storing.open();
    expect(await sent).toMatch(/^250/);
    expect(await second.send('service@shop.example', big)).toMatch(/^250/);
  });

  it('that a client breaks off is nowhere, and the bytes it held are free', async () => {
    const { connect, stored } = await receiver({ bufferBytes: 100_000 });
    const client = await connect();
    await client.say('MAIL FROM:<>');
    await client.say('RCPT TO:<service@shop.example>');
    await client.say('DATA');
    client.write(Buffer.alloc(90_000, 'x\r\n'));
    client.end();
    const next = await connect();
    await expect.poll(() => next.send('service@shop.example', Buffer.alloc(90_000, 'y\r\n'))).toMatch(/^250/);
    expect(stored).toHaveLength(1);
  });
});

describe('a remote address', () => {
  it('that sends too much is put off', async () => {
    const client = await (await receiver({ ratePerMinute: 2 })).connect();
    for (const wanted of [/^250/, /^250/, /^450 4\.7\.1 /])
      expect(await client.send('service@shop.example', 'x')).toMatch(wanted);
  });

  it('that guesses recipients is put off', async () => {
    const client = await (await receiver({ ratePerMinute: 3 })).connect();
    await client.say('MAIL FROM:<>');
    for (const wanted of [/^550/, /^550/, /^450/]) expect(await client.say('RCPT TO:<a@shop.example>')).toMatch(wanted);
  });

  it('has so many connections, and more when one ends', async () => {
    const { connect } = await receiver({ connectionsPerAddress: 1 });
    const first = await connect();
    const second = await connect();
    expect(await second.say('MAIL FROM:<>')).not.toMatch(/^250/);
    first.end();
    await expect.poll(async () => (await connect()).say('MAIL FROM:<>')).toMatch(/^250/);
  });
});

describe('STARTTLS', () => {
  it('is not offered without a certificate', async () => {
    const client = await (await receiver()).connect();
    expect(await client.say('STARTTLS')).toMatch(/^5/);
  });

  it('encrypts with the certificate that is configured', async () => {
    const client = await (await receiver({ tls: makeCertificate() })).connect();
    await client.startTls();
    expect(await client.send('service@shop.example', 'x')).toMatch(/^250/);
  });
});

/** A store that keeps its callers waiting until it is opened. */
function gate() {
  const came = new EventEmitter();
  let opened = false;
  return {
    next: async () => (await once(came, 'message'))[0] as IncomingMessage,
    open: () => {
      opened = true;
      came.emit('open');
    },
    store: async (message: IncomingMessage) => {
      came.emit('message', message);
      if (!opened) await once(came, 'open');
      return 'stored' as const;
    },
  };
}
