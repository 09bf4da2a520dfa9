import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { SmtpSession } from './smtp-session.js';

export interface SmtpServer {
  /** smtp:// or smtps://, with user and password if the server wants them. */
  url: string;
  requireTls: boolean;
  helloName: string;
  timeoutMs: number;
}

/** Connects, encrypts and logs in with nodemailer, then takes the socket over. Rejects when any of it fails. */
export async function openSession(server: SmtpServer): Promise<SmtpSession> {
  const url = new URL(server.url);
  const secure = url.protocol === 'smtps:';
  const connection = new SMTPConnection({
    host: url.hostname,
    port: url.port || (secure ? 465 : 25),
    secure,
    requireTLS: server.requireTls,
    name: server.helloName,
    connectionTimeout: 30_000,
  });
  await new Promise<void>((resolve, reject) => {
    connection.once('error', reject);
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
  // The reply to EHLO, before anything else is said.
  const pipelining = /\bPIPELINING\b/i.test(String(connection.lastServerResponse));
  if (url.username) {
    const credentials = { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) };
    await new Promise<void>((resolve, reject) => {
      connection.login({ credentials }, (error) => (error ? reject(error) : resolve()));
    });
  }
  const socket = connection._socket;
  if (!socket) throw new Error('the mail server closed the connection after the greeting');
  for (const event of ['data', 'error', 'close', 'end', 'timeout']) socket.removeAllListeners(event);
  return new SmtpSession(socket, { pipelining, timeoutMs: server.timeoutMs });
}
