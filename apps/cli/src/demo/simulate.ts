import { createHash } from 'node:crypto';
import type { SmtpInbox } from '@postloop/local-stack';
import PostalMime from 'postal-mime';

/** What the simulated recipients did, as they counted it themselves. */
export interface Deeds {
  opens: number;
  clicks: number;
  unsubscribes: number;
}

const AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
];

const AT_ONCE = 32;

/**
 * Has recipients act on the mails that the inbox accepted: 60 % open, half of those click a link or two, a few unsubscribe on
 * the page or with one click. Who does what follows from the address, so a run can be repeated.
 */
export async function simulateRecipients(
  inbox: SmtpInbox,
  onProgress: (done: number, total: number) => void,
): Promise<Deeds> {
  const deeds: Deeds = { opens: 0, clicks: 0, unsubscribes: 0 };
  const accepted = inbox.journal().filter((entry) => entry.type === 'accepted');
  let next = 0;
  let done = 0;
  const one = async (): Promise<void> => {
    for (let entry = accepted[next++]; entry; entry = accepted[next++]) {
      await act(inbox.raw(entry), deeds);
      done += 1;
      onProgress(done, accepted.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return deeds;
}

async function act(raw: Buffer, deeds: Deeds): Promise<void> {
  const mail = await PostalMime.parse(raw);
  const dice = createHash('sha256')
    .update(mail.to?.[0]?.address ?? '')
    .digest();
  const [open = 0, click = 0, leave = 0, agent = 0] = dice;
  const headers = { 'user-agent': AGENTS[agent % AGENTS.length] ?? '' };
  const links = linksOf(mail.html ?? '');
  if (open < 154) {
    await expectStatus(links.pixel, { headers }, 200);
    deeds.opens += 1;
    for (const url of links.clicks.slice(0, click < 128 ? 1 + (click % 2) : 0)) {
      await expectStatus(url, { headers, redirect: 'manual' }, 302);
      deeds.clicks += 1;
    }
  }
  if (leave < 8) {
    // One-click, as a mail program does it (RFC 8058), or the page: look first, then press the button.
    const oneClick = leave % 2 === 0;
    const url = oneClick ? listUnsubscribeUrl(mail.headers) : links.unsubscribe;
    if (!oneClick) await expectStatus(url, { headers }, 200);
    await expectStatus(
      url,
      { method: 'POST', headers, body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) },
      200,
    );
    deeds.unsubscribes += 1;
  }
}

async function expectStatus(url: string, request: RequestInit, status: number): Promise<void> {
  const response = await fetch(url, request);
  await response.arrayBuffer();
  if (response.status !== status)
    throw new Error(`${request.method ?? 'GET'} ${url} answered ${response.status}, expected ${status}`);
}

function linksOf(html: string): { pixel: string; clicks: string[]; unsubscribe: string } {
  const urls = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map((match) => (match[1] ?? '').replaceAll('&amp;', '&'));
  const of = (kind: string) => urls.filter((url) => new RegExp(`^https?://[^/]+/${kind}/`).test(url));
  return { pixel: of('o')[0] ?? '', clicks: of('c'), unsubscribe: of('u')[0] ?? '' };
}

function listUnsubscribeUrl(headers: { key: string; value: string }[]): string {
  const value = headers.find(({ key }) => key === 'list-unsubscribe')?.value ?? '';
  return /<(https?:[^>]+)>/.exec(value)?.[1] ?? '';
}
