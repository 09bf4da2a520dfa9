import type { PasswordLogin } from './transport-config.js';

const SMTP_PORT = 25;
const SUBMISSIONS_PORT = 465;

/** What an `smtp://user:password@host:port` says; `smtps://` is TLS from the start. */
export interface SmtpAddress {
  host: string;
  port: number;
  secure: boolean;
  login: PasswordLogin | undefined;
}

/** @param text a valid URL. Throws RangeError for what cannot be meant; user and password are percent-encoded in it. */
export function parseSmtpUrl(text: string): SmtpAddress {
  const url = new URL(text);
  const secure = url.protocol === 'smtps:';
  if (url.hostname === '') throw new RangeError('the URL names no host');
  if ((url.username === '') !== (url.password === ''))
    throw new RangeError('a user needs a password, and a password a user');
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? SUBMISSIONS_PORT : SMTP_PORT) : Number(url.port),
    secure,
    login:
      url.username === ''
        ? undefined
        : { type: 'password', user: decode(url.username), password: decode(url.password) },
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError('user or password are not percent-encoded');
  }
}
