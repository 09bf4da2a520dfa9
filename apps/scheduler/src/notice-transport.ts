import { describeError } from '@postloop/contracts';
import { type SmtpSettings, smtpSettings, withoutSecrets } from '@postloop/service-kit';
import { createTransport } from 'nodemailer';
import type { Config } from './config.js';

export interface Notice {
  messageId: string;
  to: readonly string[];
  subject: string;
  text: string;
}

export interface Outcome {
  /** The server took it over for these, */
  accepted: string[];
  /** refused it for good for these (5xx), */
  refused: string[];
  /** and may take it later for these. */
  deferred: string[];
  /** The server's words, where it did not take it over for all. */
  reason?: string;
  /** It does not take anything at the moment. */
  away: boolean;
}

export type SendNotice = (notice: Notice) => Promise<Outcome>;

const CONNECT_TIMEOUT_MS = 30_000;
/** A status mail is small: who does not answer for that long is not there. */
const ANSWER_TIMEOUT_MS = 60_000;

/** The server of NOTICE_SMTP_URL, else the one that mailings leave by (SMTP_URL). */
export function noticeServer(config: Config): SmtpSettings {
  const own = config.NOTICE_SMTP_URL;
  const { login, ...address } = own ?? config.SMTP_URL;
  return smtpSettings(address, login, {
    helloName: config.SMTP_HELLO_NAME,
    timeoutMs: ANSWER_TIMEOUT_MS,
    requireTls: own ? undefined : config.SMTP_REQUIRE_TLS,
    ca: own ? undefined : config.SMTP_TLS_CA,
    servername: own ? undefined : config.SMTP_TLS_SERVERNAME,
  });
}

/** A connection per mail: there are few of them. Never rejects. */
export function createNoticeTransport(server: SmtpSettings, from: string): SendNotice {
  const { host, port, secure, requireTls, tls, login, helloName, timeoutMs } = server;
  const transport = createTransport({
    host,
    port,
    secure,
    requireTLS: requireTls,
    tls: { ...tls, rejectUnauthorized: true },
    name: helloName,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(login?.type === 'password' ? { auth: { user: login.user, pass: login.password } } : {}),
  });
  const secrets = login?.type === 'password' ? [login.password, `\0${login.user}\0${login.password}`] : [];
  return async ({ messageId, to, subject, text }) => {
    try {
      const { accepted, rejectedErrors = [] } = await transport.sendMail({
        messageId,
        // As objects: they are addresses already, and nothing in them is to be read as another one.
        from: { name: 'Postloop', address: from },
        to: to.map((address) => ({ name: '', address })),
        envelope: { from, to: [...to] },
        subject,
        text,
        // RFC 3834 5: nobody's holiday notice answers it.
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
      return sorted(to, accepted.map(addressOf), rejectedErrors);
    } catch (error) {
      if (error instanceof Error && 'rejectedErrors' in error && Array.isArray(error.rejectedErrors))
        return sorted(to, [], error.rejectedErrors);
      return {
        accepted: [],
        refused: [],
        deferred: [...to],
        away: true,
        reason: withoutSecrets(describeError(error), secrets),
      };
    }
  };
}

const addressOf = (entry: string | { address: string }): string => (typeof entry === 'string' ? entry : entry.address);

interface Rejection {
  recipient?: string | undefined;
  responseCode?: number | undefined;
  response?: string | undefined;
}

function sorted(to: readonly string[], accepted: readonly string[], rejections: readonly Rejection[]): Outcome {
  const final = rejections.filter(({ responseCode = 0 }) => responseCode >= 500);
  const refused = to.filter((address) => final.some(({ recipient }) => recipient === address));
  const taken = to.filter((address) => accepted.includes(address));
  const deferred = to.filter((address) => !refused.includes(address) && !taken.includes(address));
  const reason = rejections.find(({ response }) => response)?.response;
  return { accepted: taken, refused, deferred, away: false, ...(reason ? { reason } : {}) };
}
