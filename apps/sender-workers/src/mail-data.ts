import { ContentError, type ContentFetcher, type ContentShelf, fetchOnce } from '@postloop/content';
import {
  type ContentCache,
  claimContent,
  type Database,
  keepContent,
  type MailingToSend,
  type RecipientToSend,
  selectClientSettings,
  selectFetchedContent,
  selectProductData,
} from '@postloop/db';
import { currentProgram, NO_DATA, needsOf, type RenderData } from '@postloop/mail-domain';
import { killPoint, type Logger } from '@postloop/service-kit';
import type { Counter } from 'prom-client';

/** Recipients whose mails can be made at once: what they take from elsewhere lies ready. */
export interface ReadyMails {
  recipients: readonly RecipientToSend[];
  data: RenderData;
  /** So long it took to get them ready. */
  tookMs: number;
}

export interface MailDataContext {
  db: Database;
  fetcher: ContentFetcher;
  /** Content that several mailings or batches show is read from the database once. */
  cache: ContentCache;
  /** How long what this worker fetches is not fetched by another. */
  leaseMs: number;
  /** Different URLs whose content is held at a time. */
  urlsAtOnce: number;
  fetches: Counter<'outcome'>;
  log: Pick<Logger, 'warn'>;
}

export type PrepareMails = (
  mailing: MailingToSend,
  recipients: readonly RecipientToSend[],
  signal: AbortSignal,
) => AsyncGenerator<ReadyMails>;

/**
 * Makes ready what the mails of a batch show besides the recipients' fields: products with one statement for all, then content,
 * part by part of the batch, so that memory is bounded however large it is. Nothing is in flight meanwhile. What cannot be had
 * is left to the mailing's rules.
 */
export function createMailData(context: MailDataContext): PrepareMails {
  return async function* prepare(mailing, recipients, signal) {
    const program = currentProgram(mailing.program);
    const { products, anchors, content } = program.needs;
    if (products.length + anchors.length + content.length === 0) {
      yield { recipients, data: NO_DATA, tookMs: 0 };
      return;
    }
    const wanted = recipients.map((recipient) => ({ recipient, needs: needsOf(program, recipient.fields) }));
    const all = wanted.map(({ needs }) => needs);
    const known = await selectProductData(context.db.pool, mailing, all);
    const asking = wanted.map(({ recipient, needs }) => ({ recipient, urls: needs.content.map(({ url }) => url) }));
    for (const part of cutByUrls(asking, context.urlsAtOnce)) {
      const began = performance.now();
      const found = await contentOf(context, mailing, [...part.urls], signal);
      if (signal.aborted) return;
      const data: RenderData = { ...known, content: (url) => found.get(url) };
      yield { recipients: part.recipients, data, tookMs: performance.now() - began };
    }
  };
}

interface Part {
  recipients: RecipientToSend[];
  urls: Set<string>;
}

/** In their order, with at most so many different URLs each; a recipient who names more is a part alone. */
export function* cutByUrls(
  asking: Iterable<{ recipient: RecipientToSend; urls: readonly string[] }>,
  most: number,
): Generator<Part> {
  let part: Part = { recipients: [], urls: new Set() };
  for (const { recipient, urls } of asking) {
    if (part.recipients.length > 0 && new Set([...part.urls, ...urls]).size > most) {
      yield part;
      part = { recipients: [], urls: new Set() };
    }
    part.recipients.push(recipient);
    for (const url of urls) part.urls.add(url);
  }
  if (part.recipients.length > 0) yield part;
}

async function contentOf(
  context: MailDataContext,
  mailing: MailingToSend,
  urls: readonly string[],
  signal: AbortSignal,
): ReturnType<typeof selectFetchedContent> {
  if (urls.length === 0) return new Map();
  const { db, fetcher, cache, log } = context;
  // Asked each time: a host that is taken off the list is asked no more.
  const { hosts } = (await selectClientSettings(db.pool, mailing.clientId)).content;
  const failures: ContentError[] = [];
  await fetchOnce({ fetcher, hosts, shelf: shelfOf(context, mailing.id, failures), signal }, urls);
  const [first] = failures;
  if (first) {
    const facts = { mailingId: mailing.id.toString(), failed: failures.length, fault: first.fault };
    log.warn({ ...facts, error: first.message }, 'content could not be fetched');
  }
  return selectFetchedContent(db.pool, mailing.id, urls, cache);
}

function shelfOf({ db, leaseMs, fetches }: MailDataContext, mailingId: bigint, failures: ContentError[]): ContentShelf {
  return {
    claim: (urls) => claimContent(db.pool, mailingId, urls, leaseMs),
    async keep(url, outcome) {
      killPoint('sender.before-keep-content');
      await keepContent(db.pool, mailingId, url, outcome);
      const failed = outcome instanceof ContentError;
      if (failed) failures.push(outcome);
      fetches.inc({ outcome: failed ? outcome.fault : 'fetched' });
    },
  };
}
