import { codeOf, type Explanation } from '../explain.js';
import { type CheckResult, fail, ok, skipped, warn } from './check.js';
import { SmtpDialogue, SmtpProblem } from './smtp-dialogue.js';

const CHECK = 'smtp';

export interface SmtpSettings {
  url: string;
  requireTls: boolean;
  helloName: string;
}

/** Greets, encrypts and logs in as the senders do, then says QUIT: no mail is sent. */
export async function checkSmtp(settings: SmtpSettings | undefined): Promise<CheckResult> {
  if (!settings) return skipped(CHECK, 'not configured');
  const url = new URL(settings.url);
  const secure = url.protocol === 'smtps:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (secure ? 465 : 25);
  const place = `${url.hostname}:${port}`;
  try {
    const dialogue = await SmtpDialogue.open(host, port, secure);
    try {
      const encrypted = await greet(dialogue, settings, secure);
      if (url.username) await logIn(dialogue, decodeURIComponent(url.username), decodeURIComponent(url.password));
      await dialogue.say('QUIT', 'QUIT', [221]);
      return judge(place, encrypted, url.username !== '');
    } finally {
      dialogue.close();
    }
  } catch (error) {
    return fail(CHECK, explain(error, place));
  }
}

async function greet(
  dialogue: SmtpDialogue,
  { requireTls, helloName }: SmtpSettings,
  secure: boolean,
): Promise<boolean> {
  await dialogue.say('the greeting', undefined, [220]);
  const { lines } = await dialogue.say('EHLO', `EHLO ${helloName}`, [250]);
  if (secure) return true;
  if (!lines.some((line) => /^STARTTLS$/i.test(line.trim()))) {
    if (requireTls) throw new SmtpProblem('STARTTLS', 'offers no STARTTLS, and SMTP_REQUIRE_TLS is set');
    return false;
  }
  await dialogue.startTls();
  await dialogue.say('EHLO', `EHLO ${helloName}`, [250]);
  return true;
}

/** AUTH PLAIN (RFC 4616). */
async function logIn(dialogue: SmtpDialogue, user: string, password: string): Promise<void> {
  const credentials = Buffer.from(`\0${user}\0${password}`).toString('base64');
  await dialogue.say('AUTH', `AUTH PLAIN ${credentials}`, [235]);
}

function judge(place: string, encrypted: boolean, loggedIn: boolean): CheckResult {
  const found = `${place} takes mail${loggedIn ? ', logged in' : ''}${encrypted ? ', encrypted' : ''}`;
  if (encrypted || /^(127\.|localhost:|\[::1\])/.test(place)) return ok(CHECK, found);
  return warn(CHECK, {
    code: 'smtp_plain',
    found: `${found}, but the connection is not encrypted`,
    remedy: 'Have the server offer STARTTLS, or use smtps://.',
  });
}

function explain(error: unknown, place: string): Explanation {
  const step = error instanceof SmtpProblem ? error.step : '';
  const found = `${place}: ${error instanceof Error ? error.message : String(error)}`;
  if (codeOf(error) === 'ECONNREFUSED')
    return {
      code: 'smtp_refused',
      found: `${place} refuses connections`,
      remedy: 'Start the mail server, or correct host and port in SMTP_URL.',
    };
  if (step === 'AUTH') return { code: 'smtp_login', found, remedy: 'Correct user and password in SMTP_URL.' };
  if (step === 'STARTTLS')
    return {
      code: 'smtp_tls',
      found,
      remedy: 'Give the server a certificate for its name that this machine trusts, or correct the name in SMTP_URL.',
    };
  return { code: 'smtp_failed', found, remedy: 'Check SMTP_URL and the log of the mail server.' };
}
