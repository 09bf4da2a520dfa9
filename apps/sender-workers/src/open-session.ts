import { describeError } from '@postloop/contracts';
import type { SmtpClient, SmtpSettings } from '@postloop/service-kit';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { createLogin, type Login } from './login.js';
import type { MailSession } from './mail-session.js';
import { NodemailerSession } from './nodemailer-session.js';
import { SmtpSession } from './smtp-session.js';

/** A mail server with what its connections share to log in. */
export interface SmtpServer extends Omit<SmtpSettings, 'login'> {
  login: Login | undefined;
  client: SmtpClient;
}

export function smtpServer({ login, ...settings }: SmtpSettings, client: SmtpClient = 'pipelined'): SmtpServer {
  return { ...settings, login: login && createLogin(login), client };
}

const CONNECT_TIMEOUT_MS = 30_000;

/**
 * Connects, encrypts and logs in with nodemailer, then takes the socket over, unless nodemailer is to go on. A certificate that is not valid for the name
 * ends it. Rejects when any of it fails; no secret is in the reason.
 */
export async function openSession(server: SmtpServer): Promise<MailSession> {
  const { host, port, secure, requireTls, tls, helloName, timeoutMs, client } = server;
  const connection = new SMTPConnection({
    host,
    port,
    secure,
    requireTLS: requireTls,
    tls: { ...tls, rejectUnauthorized: true },
    name: helloName,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: timeoutMs,
  });
  try {
    const pipelining = await greet(connection, server.login);
    if (client === 'nodemailer') return new NodemailerSession(connection);
    const socket = connection._socket;
    if (!socket) throw new Error('the mail server closed the connection after the greeting');
    for (const event of ['data', 'error', 'close', 'end', 'timeout']) socket.removeAllListeners(event);
    return new SmtpSession(socket, { pipelining, timeoutMs });
  } catch (error) {
    connection.close();
    const why = describeError(error);
    const shown = server.login?.hide(why) ?? why;
    server.login?.forget();
    throw new Error(shown);
  }
}

/** @returns whether the server offers PIPELINING */
function greet(connection: SMTPConnection, login: Login | undefined): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // Both stay: what comes after the end must not be thrown.
    connection.on('error', reject);
    connection.on('end', () => reject(new Error('the mail server closed the connection before mails could be sent')));
    connection.connect((error) => {
      if (error) return reject(error);
      // The reply to EHLO, before anything else is said.
      const pipelining = /\bPIPELINING\b/i.test(String(connection.lastServerResponse));
      if (!login) return resolve(pipelining);
      connection.login(login.auth, (refused) => (refused ? reject(refused) : resolve(pipelining)));
    });
  });
}
