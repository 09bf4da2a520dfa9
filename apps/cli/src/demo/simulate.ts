import { createHash } from 'node:crypto';
import { noResponses, type ResponseCounts } from '@postloop/db';
import { type JournalEntry, type SmtpInbox, smtpSend } from '@postloop/local-stack';
import PostalMime, { type Email } from 'postal-mime';
import { type Reaction, type Received, reactionOf } from './reactions.js';

/** What the simulated recipients and their servers did, as they counted it themselves. */
export interface Deeds {
  opens: number;
  clicks: number;
  /** Complaints among them: who complains has left. */
  unsubscribes: number;
  complaints: number;
  /** What they sent back, by what it means. */
  responses: ResponseCounts;
}

const AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
];

const AT_ONCE = 32;

/**
 * Has recipients act on the mails that the inbox accepted: some bounce after all; 60 % open, half of those click a link or
 * two, a few unsubscribe on the page or with one click; some answer, or their machines do, or they complain. Who does what
 * follows from the address, so a run can be repeated.
 * @param inboundUrl where mail that comes back is taken
 */
export async function simulateRecipients(
  inbox: SmtpInbox,
  inboundUrl: string,
  onProgress: (done: number, total: number) => void,
): Promise<Deeds> {
  const deeds: Deeds = { opens: 0, clicks: 0, unsubscribes: 0, complaints: 0, responses: { ...noResponses } };
  const accepted = inbox.journal().filter((entry) => entry.type === 'accepted');
  let next = 0;
  let done = 0;
  const one = async (): Promise<void> => {
    for (let entry = accepted[next++]; entry; entry = accepted[next++]) {
      await act(await read(inbox, entry), inboundUrl, deeds);
      done += 1;
      onProgress(done, accepted.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return deeds;
}

async function read(inbox: SmtpInbox, entry: JournalEntry): Promise<Received> {
  const mail = await PostalMime.parse(inbox.raw(entry));
  return { address: entry.envelopeTo[0] ?? '', returnPath: entry.envelopeFrom, mail };
}

async function act(received: Received, inboundUrl: string, deeds: Deeds): Promise<void> {
  const [open = 0, click = 0, leave = 0, agent = 0, back = 0] = createHash('sha256').update(received.address).digest();
  const headers = { 'user-agent': AGENTS[agent % AGENTS.length] ?? '' };
  const reaction = reactionOf(back);
  if (!reaction?.bounced) {
    const links = linksOf(received.mail.html ?? '');
    if (open < 154) await look(links, click < 128 ? 1 + (click % 2) : 0, headers, deeds);
    // Who complains leaves by that.
    if (leave < 8 && !reaction?.complaint) await unsubscribe(received.mail, links, leave % 2 === 0, headers, deeds);
  }
  if (reaction) await sendBack(reaction, received, inboundUrl, deeds);
}

type Headers = Record<'user-agent', string>;

async function look(links: Links, clicks: number, headers: Headers, deeds: Deeds): Promise<void> {
  await expectStatus(links.pixel, { headers }, 200);
  deeds.opens += 1;
  for (const url of links.clicks.slice(0, clicks)) {
    await expectStatus(url, { headers, redirect: 'manual' }, 302);
    deeds.clicks += 1;
  }
}

/** One-click, as a mail program does it (RFC 8058), or on the page: look first, then press the button. */
async function unsubscribe(
  mail: Email,
  links: Links,
  oneClick: boolean,
  headers: Headers,
  deeds: Deeds,
): Promise<void> {
  const url = oneClick ? listUnsubscribeUrl(mail.headers) : links.unsubscribe;
  if (!oneClick) await expectStatus(url, { headers }, 200);
  const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' });
  await expectStatus(url, { method: 'POST', headers, body }, 200);
  deeds.unsubscribes += 1;
}

async function sendBack(reaction: Reaction, received: Received, inboundUrl: string, deeds: Deeds): Promise<void> {
  const { from, to, message } = reaction.write(received);
  const reply = await smtpSend(inboundUrl, { from, to }, message);
  if (!reply.startsWith('250')) throw new Error(`a mail to ${to} was answered "${reply}", expected 250`);
  deeds.responses[reaction.category] += 1;
  if (!reaction.complaint) return;
  deeds.complaints += 1;
  deeds.unsubscribes += 1;
}

async function expectStatus(url: string, request: RequestInit, status: number): Promise<void> {
  const response = await fetch(url, request);
  await response.arrayBuffer();
  if (response.status !== status)
    throw new Error(`${request.method ?? 'GET'} ${url} answered ${response.status}, expected ${status}`);
}

interface Links {
  pixel: string;
  clicks: string[];
  unsubscribe: string;
}

function linksOf(html: string): Links {
  const urls = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map((match) => (match[1] ?? '').replaceAll('&amp;', '&'));
  const of = (kind: string) => urls.filter((url) => new RegExp(`^https?://[^/]+/${kind}/`).test(url));
  return { pixel: of('o')[0] ?? '', clicks: of('c'), unsubscribe: of('u')[0] ?? '' };
}

function listUnsubscribeUrl(headers: { key: string; value: string }[]): string {
  const value = headers.find(({ key }) => key === 'list-unsubscribe')?.value ?? '';
  return /<(https?:[^>]+)>/.exec(value)?.[1] ?? '';
}
