import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server says to a path. */
export interface ContentAnswer {
  status?: number;
  type?: string;
  body?: Buffer | string;
}

/** The customer's server, on an address that the apps must be allowed to fetch from: `CONTENT_ALLOW_NETWORKS=127.0.0.2/32`. */
export interface ContentServer extends AsyncDisposable {
  url: string;
  /** How often each path was asked for. */
  hits: Map<string, number>;
  /** What it says from now on; 404 to everything else. */
  answers: Map<string, ContentAnswer>;
  /** Answers wait for this. */
  gate: Promise<void>;
}

export const CONTENT_HOST = '127.0.0.2';
export const contentEnv = { CONTENT_ALLOW_NETWORKS: `${CONTENT_HOST}/32` };

export async function startContentServer(): Promise<ContentServer> {
  const hits = new Map<string, number>();
  const answers = new Map<string, ContentAnswer>();
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    hits.set(path, (hits.get(path) ?? 0) + 1);
    await content.gate;
    const { status = 200, type = 'text/plain; charset=utf-8', body = '' } = answers.get(path) ?? { status: 404 };
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  server.listen(0, CONTENT_HOST);
  await once(server, 'listening');
  const content: ContentServer = {
    url: `http://${CONTENT_HOST}:${(server.address() as AddressInfo).port}`,
    hits,
    answers,
    gate: Promise.resolve(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return content;
}
