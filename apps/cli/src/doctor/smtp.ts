import {
  DEFAULT_TRANSPORT,
  type LoginSettings,
  type SmtpSettings,
  type TransportSettings,
  withoutSecrets,
} from '@postloop/service-kit';
import { codeOf, type Explanation } from '../explain.js';
import { type CheckResult, fail, ok, skipped, warn } from './check.js';
import { SmtpDialogue, SmtpProblem } from './smtp-dialogue.js';

const CHECK = 'smtp';

/** Every mail server that mails may leave by. */
export async function checkTransports(transports: readonly TransportSettings[] | undefined): Promise<CheckResult[]> {
  if (!transports) return [skipped(CHECK, 'not configured')];
  const results = await Promise.all(
    transports.map(({ name, server }) =>
      checkSmtp(server, name === DEFAULT_TRANSPORT ? 'SMTP_URL' : 'SMTP_TRANSPORTS'),
    ),
  );
  if (transports.length === 1) return results;
  return results.map((result, i) => ({ ...result, found: `transport ${transports[i]?.name}: ${result.found}` }));
}

/** Greets, encrypts and logs in as the senders do, then says QUIT: no mail is sent. */
async function checkSmtp(settings: SmtpSettings, variable: string): Promise<CheckResult> {
  const { host, port, login } = settings;
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  try {
    const dialogue = await SmtpDialogue.open(settings);
    try {
      const { encrypted, mechanisms } = await greet(dialogue, settings);
      if (login) await logIn(dialogue, login, mechanisms);
      await dialogue.say('QUIT', 'QUIT', [221]);
      return judge(place, encrypted, login);
    } finally {
      dialogue.close();
    }
  } catch (error) {
    const why = explain(error, place, variable);
    // Servers repeat what they do not understand.
    const secrets = login?.type === 'password' ? [login.password, `\0${login.user}\0${login.password}`] : [];
    return fail(CHECK, { ...why, found: withoutSecrets(why.found, secrets) });
  }
}

interface Greeted {
  encrypted: boolean;
  /** Of AUTH (RFC 4954), in upper case. */
  mechanisms: string[];
}

async function greet(dialogue: SmtpDialogue, { secure, requireTls, helloName }: SmtpSettings): Promise<Greeted> {
  await dialogue.say('the greeting', undefined, [220]);
  const { lines } = await dialogue.say('EHLO', `EHLO ${helloName}`, [250]);
  if (secure) return { encrypted: true, mechanisms: mechanismsOf(lines) };
  if (!lines.some((line) => /^STARTTLS$/i.test(line.trim()))) {
    if (requireTls)
      throw new SmtpProblem('STARTTLS', 'offers no STARTTLS, which a login or SMTP_REQUIRE_TLS makes necessary');
    return { encrypted: false, mechanisms: mechanismsOf(lines) };
  }
  await dialogue.startTls();
  const again = await dialogue.say('EHLO', `EHLO ${helloName}`, [250]);
  return { encrypted: true, mechanisms: mechanismsOf(again.lines) };
}

const mechanismsOf = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => (/^AUTH[ =]/i.test(line) ? line.slice(5).trim().toUpperCase().split(/\s+/) : []));

/** AUTH PLAIN (RFC 4616), or LOGIN where only that is offered. XOAUTH2 is left to the senders: it spends a token. */
async function logIn(dialogue: SmtpDialogue, login: LoginSettings, mechanisms: readonly string[]): Promise<void> {
  if (login.type !== 'password') return;
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const { user, password } = login;
  if (mechanisms.includes('PLAIN') || !mechanisms.includes('LOGIN')) {
    await dialogue.say('AUTH', `AUTH PLAIN ${base64(`\0${user}\0${password}`)}`, [235]);
    return;
  }
  await dialogue.say('AUTH', 'AUTH LOGIN', [334]);
  await dialogue.say('AUTH', base64(user), [334]);
  await dialogue.say('AUTH', base64(password), [235]);
}

const LOGGED_IN = { none: '', password: ', logged in', xoauth2: ', its XOAUTH2 login not tried' } as const;

function judge(place: string, encrypted: boolean, login: LoginSettings | undefined): CheckResult {
  const found = `${place} takes mail${LOGGED_IN[login?.type ?? 'none']}${encrypted ? ', encrypted' : ''}`;
  if (encrypted || /^(127\.|localhost:|\[::1\])/.test(place)) return ok(CHECK, found);
  return warn(CHECK, {
    code: 'smtp_plain',
    found: `${found}, but the connection is not encrypted`,
    remedy: 'Have the server offer STARTTLS, or use smtps://.',
  });
}

function explain(error: unknown, place: string, variable: string): Explanation {
  const step = error instanceof SmtpProblem ? error.step : '';
  const found = `${place}: ${error instanceof Error ? error.message : String(error)}`;
  if (codeOf(error) === 'ECONNREFUSED')
    return {
      code: 'smtp_refused',
      found: `${place} refuses connections`,
      remedy: `Start the mail server, or correct host and port in ${variable}.`,
    };
  if (step === 'AUTH') return { code: 'smtp_login', found, remedy: `Correct user and password in ${variable}.` };
  if (step === 'STARTTLS' || step === 'TLS')
    return {
      code: 'smtp_tls',
      found,
      remedy: `Give the server a certificate for its name, of an authority that is trusted or named; or correct ${variable}.`,
    };
  return { code: 'smtp_failed', found, remedy: `Check ${variable} and the log of the mail server.` };
}
