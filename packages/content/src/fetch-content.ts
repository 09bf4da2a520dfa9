import { type Dispatcher, request } from 'undici';
import { parseNetworks } from './address-guard.js';
import { checkUrl, type UrlRules } from './check-url.js';
import { ContentError } from './content-error.js';
import { createGuardedAgent, type Resolve, resolveBySystem } from './guarded-agent.js';
import { parseHostList } from './host-list.js';

export interface FetchRules {
  /** Networks that are not public and may be fetched from all the same, as `10.1.0.0/16`. */
  networks: readonly string[];
  maxBytes: number;
  /** For the whole of it: look-up, connection, redirects, body. Milliseconds. */
  timeoutMs: number;
  /** For so long a host that did not answer in time is not asked again: a slow server costs one time-out, not one a recipient. */
  restMs: number;
  /** Where host names are looked up; the system's by default. */
  resolve?: Resolve;
}

export interface FetchedContent {
  bytes: Buffer;
  /** Lower case, without parameters; `application/octet-stream` when the server says nothing. */
  mediaType: string;
  /** Lower case; null when the server says nothing. */
  charset: string | null;
}

export interface ContentFetcher extends AsyncDisposable {
  /** @param hosts whom the client lets be fetched from @throws ContentError */
  fetch(url: string, hosts: readonly string[]): Promise<FetchedContent>;
}

const MAX_REDIRECTS = 3;
const HEADERS = { 'user-agent': 'Postloop', accept: '*/*', 'accept-encoding': 'identity' };

/** Fetches what URLs in recipient files name (spec 3): every host, address and redirect is checked, size and time are bounded. */
export function createContentFetcher({ networks, maxBytes, timeoutMs, restMs, resolve }: FetchRules): ContentFetcher {
  const allowed = parseNetworks(networks);
  const agent = createGuardedAgent({ networks: allowed }, resolve ?? resolveBySystem, timeoutMs);
  /** Hosts that did not answer in time, and until when they rest (monotonic). */
  const resting = new Map<string, number>();
  const ask = (url: URL, signal: AbortSignal) => {
    if ((resting.get(url.host) ?? 0) > performance.now()) throw timedOut(url.host);
    return request(url, { dispatcher: agent, signal, headers: HEADERS });
  };
  return {
    async fetch(url, hosts) {
      const rules = { hosts: parseHostList(hosts), networks: allowed };
      const deadline = AbortSignal.timeout(timeoutMs);
      const place = { host: '' };
      try {
        return await follow(ask, checkUrl(url, rules), rules, deadline, maxBytes, place);
      } catch (error) {
        const told = toContentError(error, deadline, place.host);
        if (told.fault === 'timeout' && told !== error) resting.set(place.host, performance.now() + restMs);
        throw told;
      }
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

async function follow(
  ask: (url: URL, signal: AbortSignal) => Promise<Answer>,
  start: URL,
  rules: UrlRules,
  signal: AbortSignal,
  maxBytes: number,
  place: { host: string },
): Promise<FetchedContent> {
  let url = start;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    place.host = url.host;
    const answer = await ask(url, signal);
    const location = redirectOf(answer);
    if (location === null) return await readAnswer(answer, url.hostname, maxBytes);
    drop(answer);
    url = checkUrl(location, rules, url);
  }
  throw new ContentError('too_many_redirects', `${place.host} redirects too often. Name the final URL.`);
}

type Answer = Dispatcher.ResponseData;

function redirectOf({ statusCode, headers }: Answer): string | null {
  if (![301, 302, 303, 307, 308].includes(statusCode)) return null;
  return one(headers.location) ?? null;
}

async function readAnswer(answer: Answer, host: string, maxBytes: number): Promise<FetchedContent> {
  const { statusCode, headers, body } = answer;
  const refuse = (error: ContentError) => {
    drop(answer);
    return error;
  };
  if (statusCode !== 200)
    throw refuse(new ContentError('bad_status', `${host} answered with status ${statusCode} instead of 200.`));
  const encoding = one(headers['content-encoding'])?.toLowerCase() ?? 'identity';
  // Asked for plain bytes: what comes compressed may be a bomb.
  if (encoding !== 'identity')
    throw refuse(new ContentError('bad_encoding', `${host} sent compressed content though plain was asked for.`));
  if (Number(one(headers['content-length']) ?? 0) > maxBytes) throw refuse(tooLarge(host, maxBytes));
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw refuse(tooLarge(host, maxBytes));
    chunks.push(chunk);
  }
  return { bytes: Buffer.concat(chunks), ...readContentType(one(headers['content-type'])) };
}

/** Ends the connection; the error that this makes on the body is nobody's concern. */
function drop({ body }: Answer): void {
  body.on('error', () => undefined).destroy();
}

function tooLarge(host: string, maxBytes: number): ContentError {
  return new ContentError('too_large', `the content from ${host} is larger than ${maxBytes} bytes.`);
}

function readContentType(value = ''): Pick<FetchedContent, 'mediaType' | 'charset'> {
  const mediaType = /^\s*([\w.+-]+\/[\w.+-]+)/.exec(value)?.[1]?.toLowerCase() ?? 'application/octet-stream';
  return { mediaType, charset: /;\s*charset="?([\w.:-]+)/i.exec(value)?.[1]?.toLowerCase() ?? null };
}

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

function toContentError(error: unknown, deadline: AbortSignal, host: string): ContentError {
  if (error instanceof ContentError) return error;
  if (error instanceof Error && error.cause instanceof ContentError) return error.cause;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (deadline.aborted || code.includes('TIMEOUT')) return timedOut(host);
  const why = code || (error instanceof Error ? error.name : 'no answer');
  return new ContentError('unreachable', `${host} cannot be fetched from (${why}).`);
}

const timedOut = (host: string): ContentError => new ContentError('timeout', `${host} did not answer in time.`);
