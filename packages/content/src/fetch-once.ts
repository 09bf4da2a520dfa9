import { ContentError } from './content-error.js';
import type { ContentFetcher, FetchedContent } from './fetch-content.js';

/** Where what URLs lead to is kept, for all that want them. */
export interface ContentShelf {
  /** Makes URLs the caller's to fetch. @returns of those that are not there yet: `mine`, and those that another fetches now */
  claim(urls: readonly string[]): Promise<{ mine: string[]; others: string[] }>;
  keep(url: string, outcome: FetchedContent | ContentError): Promise<void>;
}

export interface FetchOnce {
  fetcher: ContentFetcher;
  shelf: ContentShelf;
  /** Whom the client lets be fetched from. */
  hosts: readonly string[];
  /** Aborted: no further URL is begun, and the promise resolves early. */
  signal: AbortSignal;
}

/** So many are fetched at a time, and claimed: a worker that is lost holds up no more than these. */
const AT_ONCE = 16;
/** Between looks at what others fetch, in milliseconds. */
const LOOK_MS = 200;
/** Before the second try of what a server's moment of weakness may have spoilt. */
const RETRY_MS = 500;

/** Sees to it that all URLs are on the shelf: each is fetched by one, whoever wants it. Failures are kept as well. */
export async function fetchOnce(context: FetchOnce, urls: readonly string[]): Promise<void> {
  for (let at = 0; at < urls.length; at += AT_ONCE) await fetchTogether(context, urls.slice(at, at + AT_ONCE));
}

async function fetchTogether(context: FetchOnce, urls: readonly string[]): Promise<void> {
  const { fetcher, shelf, hosts, signal } = context;
  let open = urls;
  while (open.length > 0 && !signal.aborted) {
    const { mine, others } = await shelf.claim(open);
    await Promise.all(mine.map(async (url) => shelf.keep(url, await outcomeOf(fetcher, url, hosts))));
    open = others;
    if (open.length > 0) await pause(LOOK_MS);
  }
}

async function outcomeOf(
  fetcher: ContentFetcher,
  url: string,
  hosts: readonly string[],
): Promise<FetchedContent | ContentError> {
  const first = await tryOnce(fetcher, url, hosts);
  if (!(first instanceof ContentError && first.temporary)) return first;
  await pause(RETRY_MS);
  return tryOnce(fetcher, url, hosts);
}

async function tryOnce(
  fetcher: ContentFetcher,
  url: string,
  hosts: readonly string[],
): Promise<FetchedContent | ContentError> {
  try {
    return await fetcher.fetch(url, hosts);
  } catch (error) {
    if (error instanceof ContentError) return error;
    throw error;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
