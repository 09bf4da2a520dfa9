import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type LoginSettings, smtpSettings } from '@postloop/service-kit';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openSession, type SmtpServer, smtpServer } from './open-session.js';

const directory = mkdtempSync(join(tmpdir(), 'postloop-tls-'));
const openssl = (...args: string[]) => {
  const { status, stderr } = spawnSync('openssl', args, { cwd: directory, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
};
const read = (name: string) => readFileSync(join(directory, name), 'utf8');
const SERVER_NAME = 'mail.shop.example';
const PASSWORD = 'correct horse/battery';

/** An authority of our own, and a certificate of it for SERVER_NAME. */
beforeAll(() => {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test CA', '-days', '1');
  const names = ['-subj', `/CN=${SERVER_NAME}`, '-addext', `subjectAltName=DNS:${SERVER_NAME}`];
  const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key'];
  openssl('req', '-x509', ...by, ...key, '-keyout', 'server.key', '-out', 'server.pem', ...names, '-days', '1');
});
afterAll(() => rmSync(directory, { recursive: true }));

const open: (SMTPServer | Server)[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await new Promise<void>((resolve) => void server.close(() => resolve()));
});

interface Peer {
  port: number;
  /** How each message came: its text, whether encrypted, who had logged in and how. */
  mails: { data: string; secure: boolean; user: unknown; method: string | undefined }[];
}

async function serve(options: SMTPServerOptions): Promise<Peer> {
  const mails: Peer['mails'] = [];
  let method: string | undefined;
  const server = new SMTPServer({
    authOptional: true,
    logger: false,
    disableReverseLookup: true,
    key: read('server.key'),
    cert: read('server.pem'),
    ...options,
    onAuth(auth, _session, done) {
      method = auth.method;
      const good = auth.password === PASSWORD || auth.accessToken === 'access-2';
      // As some servers do: the refusal repeats what was said.
      if (good) done(null, { user: auth.username });
      else if (auth.username === 'polite@corp.example') done(null, { data: { status: '401', schemes: 'bearer' } });
      else done(new Error(`${auth.password ?? auth.accessToken} is wrong for ${auth.username}`));
    },
    onData(stream, session, done) {
      void text(stream).then((data) => {
        mails.push({ data, secure: session.secure, user: session.user, method });
        done();
      });
    },
  });
  server.on('error', () => undefined);
  open.push(server);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return { port: (server.server.address() as AddressInfo).port, mails };
}

interface Client {
  secure?: boolean;
  requireTls?: boolean;
  servername?: string;
  ca?: string | undefined;
  login?: LoginSettings;
}

function serverOf({ port }: Peer, client: Client): SmtpServer {
  const { secure = false, requireTls, servername = SERVER_NAME, login } = client;
  const ca = 'ca' in client ? client.ca : read('ca.pem');
  const options = { requireTls, ca, servername, helloName: 'out.shop.example', timeoutMs: 5_000 };
  return smtpServer(smtpSettings({ host: '127.0.0.1', port, secure }, login, options));
}

async function sendOne(server: SmtpServer) {
  const session = await openSession(server);
  const mail = { messageId: '<1@x>', envelopeFrom: 'b@x.example', envelopeTo: 'r@y.example' };
  const outcome = await session.send({ ...mail, data: Buffer.from('Subject: hello\r\n\r\nbody\r\n') });
  session.quitWhenIdle();
  return outcome;
}

describe.each([
  ['STARTTLS', { secure: false }],
  ['TLS from the start', { secure: true }],
])('%s', (_what, { secure }) => {
  it('encrypts and sends when authority and name are right', async () => {
    const peer = await serve({ secure });
    expect(await sendOne(serverOf(peer, { secure, requireTls: true }))).toMatchObject({ kind: 'accepted' });
    expect(peer.mails).toMatchObject([{ data: expect.stringContaining('Subject: hello'), secure: true }]);
  });

  it('refuses a certificate for another name', async () => {
    const peer = await serve({ secure });
    await expect(sendOne(serverOf(peer, { secure, servername: 'other.example' }))).rejects.toThrow(
      /other\.example.*not in the cert/s,
    );
    expect(peer.mails).toEqual([]);
  });

  it('refuses a certificate of an authority that it does not know', async () => {
    const peer = await serve({ secure });
    await expect(sendOne(serverOf(peer, { secure, ca: undefined }))).rejects.toThrow(/self-signed|unable to/);
    expect(peer.mails).toEqual([]);
  });
});

const password = (secret = PASSWORD): LoginSettings => ({ type: 'password', user: 'shop', password: secret });

it('says no password to a server without TLS, unless told to', async () => {
  const peer = await serve({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'], allowInsecureAuth: true });
  await expect(sendOne(serverOf(peer, { login: password() }))).rejects.toThrow(/STARTTLS/);
  expect(await sendOne(serverOf(peer, { login: password(), requireTls: false }))).toMatchObject({ kind: 'accepted' });
  expect(peer.mails).toMatchObject([{ secure: false, user: 'shop' }]);
});

it.each(['PLAIN', 'LOGIN'])('logs in with AUTH %s, where that is what is offered', async (method) => {
  const peer = await serve({ authMethods: [method] });
  expect(await sendOne(serverOf(peer, { login: password() }))).toMatchObject({ kind: 'accepted' });
  expect(peer.mails).toMatchObject([{ secure: true, user: 'shop', method }]);
});

it('shows no password when the server refuses it and repeats it', async () => {
  const peer = await serve({});
  const failed = sendOne(serverOf(peer, { login: password('Secret pass') }));
  await expect(failed).rejects.toThrow(/\*\*\* is wrong for shop/);
  await expect(failed).rejects.not.toThrow(/Secret/);
});

/** A token endpoint (RFC 6749 section 6). Its first access token is refused by the mail server. */
async function serveTokens(answer?: object): Promise<{ url: string; asked: URLSearchParams[] }> {
  const asked: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push(new URLSearchParams(body));
      response.end(JSON.stringify(answer ?? { access_token: `access-${asked.length}`, expires_in: 3600 }));
    });
  });
  open.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`, asked };
}

const xoauth2 = (accessUrl: string, user = 'shop@corp.example'): LoginSettings => ({
  type: 'xoauth2',
  user,
  clientId: 'client',
  clientSecret: 'Client Secret',
  refreshToken: 'Refresh/Secret',
  accessUrl,
});

describe('XOAUTH2', () => {
  it('exchanges the refresh token, and once more when the access token is refused', async () => {
    const peer = await serve({ authMethods: ['XOAUTH2'] });
    const tokens = await serveTokens();
    expect(await sendOne(serverOf(peer, { login: xoauth2(tokens.url, 'polite@corp.example') }))).toMatchObject({
      kind: 'accepted',
    });
    expect(peer.mails).toMatchObject([{ secure: true, user: 'polite@corp.example', method: 'XOAUTH2' }]);
    expect(tokens.asked).toHaveLength(2);
    expect(Object.fromEntries(tokens.asked[0] ?? [])).toEqual({
      grant_type: 'refresh_token',
      client_id: 'client',
      client_secret: 'Client Secret',
      refresh_token: 'Refresh/Secret',
    });
  });

  it('asks for a new access token after a login that failed', async () => {
    const tokens = await serveTokens();
    const server = serverOf(await serve({ authMethods: ['XOAUTH2'] }), { login: xoauth2(tokens.url) });
    await expect(sendOne(server)).rejects.toThrow('*** is wrong for shop');
    expect(await sendOne(server)).toMatchObject({ kind: 'accepted' });
    expect(await sendOne(server)).toMatchObject({ kind: 'accepted' });
    expect(tokens.asked).toHaveLength(2);
  });

  it('shows no secret when the endpoint refuses it and repeats it', async () => {
    const peer = await serve({ authMethods: ['XOAUTH2'] });
    const tokens = await serveTokens({ error: 'invalid_grant', error_description: 'Refresh/Secret of Client Secret' });
    const failed = sendOne(serverOf(peer, { login: xoauth2(tokens.url) }));
    await expect(failed).rejects.toThrow('invalid_grant: *** of ***');
  });
});

it('gives up a server that hangs up while it is logged in to', async () => {
  const peer = await serve({});
  const server = open[0] as SMTPServer;
  server.onAuth = () => {
    for (const connection of server.connections) connection.close();
  };
  await expect(sendOne(serverOf(peer, { login: password() }))).rejects.toThrow(/closed|ECONNRESET/i);
});
