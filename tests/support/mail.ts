import type { SmtpInbox } from '@postloop/local-stack';
import PostalMime, { type Email } from 'postal-mime';

/** A mail as its recipient sees it, read by a parser that is not ours. */
export interface ReceivedMail {
  raw: Buffer;
  email: Email;
  html: string;
  text: string;
  pixel: string;
  clicks: string[];
  unsubscribe: string;
  header(name: string): string;
}

/** The mail that the inbox accepted for an address. */
export async function mailTo(inbox: SmtpInbox, address: string): Promise<ReceivedMail> {
  const entry = inbox.journal().find(({ type, envelopeTo }) => type === 'accepted' && envelopeTo.includes(address));
  if (!entry) throw new Error(`no mail to ${address}`);
  return readMail(inbox.raw(entry));
}

/** @param raw as it was accepted */
export async function readMail(raw: Buffer): Promise<ReceivedMail> {
  const email = await PostalMime.parse(raw);
  const html = email.html ?? '';
  const urls = [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map((match) => (match[1] ?? '').replaceAll('&amp;', '&'));
  const of = (kind: string) => urls.filter((url) => new RegExp(`^http://[^/]+/${kind}/`).test(url));
  return {
    raw,
    email,
    html,
    text: email.text ?? '',
    pixel: of('o')[0] ?? '',
    clicks: of('c'),
    unsubscribe: of('u')[0] ?? '',
    header: (name) => email.headers.find(({ key }) => key === name.toLowerCase())?.value ?? '',
  };
}
