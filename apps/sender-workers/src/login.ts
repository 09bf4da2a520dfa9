import { type LoginSettings, withoutSecrets } from '@postloop/service-kit';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import XOAuth2 from 'nodemailer/lib/xoauth2';

/** How the connections of one transport log in; they share an access token. */
export interface Login {
  auth: Parameters<SMTPConnection['login']>[0];
  /** Takes the secrets out of a text: servers repeat what they do not understand. */
  hide: (text: string) => string;
  /** The login failed: what was kept for the next one is not. */
  forget: () => void;
}

/** AUTH PLAIN or LOGIN (whichever the server offers, RFC 4954), or XOAUTH2. */
export function createLogin(settings: LoginSettings): Login {
  if (settings.type === 'password') {
    const { user, password } = settings;
    const secrets = [password, `\0${user}\0${password}`];
    return {
      auth: { credentials: { user, pass: password } },
      hide: (text) => withoutSecrets(text, secrets),
      forget: () => undefined,
    };
  }
  const { type: _, ...options } = settings;
  const oauth2 = new XOAuth2(options);
  const { clientSecret, refreshToken } = settings;
  return {
    auth: { oauth2 },
    hide(text) {
      const token = typeof oauth2.accessToken === 'string' ? oauth2.accessToken : '';
      const initial = token === '' ? '' : Buffer.from(oauth2.buildXOAuth2Token(token), 'base64').toString();
      return withoutSecrets(text, [clientSecret, refreshToken, token, initial]);
    },
    // A token that was revoked before its time would be shown until then.
    forget: () => oauth2.updateToken('', 0),
  };
}
