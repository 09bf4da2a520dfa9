import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { describeError } from '@postloop/contracts';
import { type Answer, BUSY } from './answers.js';
import type { GatewayDeps } from './gateway-deps.js';
import { type Link, linkOf } from './links.js';
import { PlainConnection, type PlainConnectionOptions } from './plain-connection.js';
import type { PlainRequest } from './plain-request.js';

/**
 * Lets the requests that nearly all readers of mails make past HTTP's own server, whose work for one is as much as all the
 * rest of it; that server gets the connections with any other.
 * @returns ends the connections that it did not get
 */
export function addPlainLane(server: Server, deps: GatewayDeps): () => void {
  const held = new Map<Socket, PlainConnection>();
  const listeners = server.listeners('connection');
  server.removeAllListeners('connection');
  const options: PlainConnectionOptions = {
    answer: (request) => {
      const link = linkOf(request.letter, request.sealed);
      return link && answerLink(deps, link, request);
    },
    handOver: (socket) => {
      held.delete(socket);
      for (const listener of listeners) listener.call(server, socket);
    },
    keepAliveMs: server.keepAliveTimeout,
    nowMs: () => deps.clock.now().getTime(),
  };
  server.on('connection', (socket: Socket) => {
    held.set(socket, new PlainConnection(socket, options));
    socket.once('close', () => held.delete(socket));
  });
  return () => {
    for (const connection of held.values()) connection.close();
  };
}

async function answerLink(deps: GatewayDeps, link: Link, request: PlainRequest): Promise<Answer> {
  let answer = BUSY;
  try {
    answer = await link.answer(deps, request.visit, request);
  } catch (error) {
    deps.log.error({ error: describeError(error) }, 'a request failed');
  }
  deps.metrics.answers.inc({ route: link.name, code: String(answer.code) });
  return answer;
}
