import { unsubscribeEventId } from '@postloop/db';
import { verifyToken } from '@postloop/mail-domain';
import type { FastifyInstance } from 'fastify';
import { afterAnswer } from './after-answer.js';
import { BUSY, NEUTRAL, send, sendPage, sendText } from './answers.js';
import type { GatewayDeps } from './gateway-deps.js';
import { isOneClick } from './one-click-body.js';
import { PLAIN_PAGE_POLICY } from './plain-page.js';
import { spoolEvent } from './spool-event.js';
import { UNSUBSCRIBE_PAGE } from './unsubscribe-page.js';

const MAX_BODY_BYTES = 8_192;

/**
 * `GET /u/TOKEN` asks, `POST /u/TOKEN` does it: link scanners and previews fetch every link of a mail, so a GET never
 * unsubscribes. No cookie, no redirect, no context is needed (RFC 8058 3.1), and doing it again is no different.
 */
export function addUnsubscribeRoutes(app: FastifyInstance, deps: GatewayDeps): void {
  const verify = (text: string) => verifyToken(deps.keyring, 'unsubscribe', text);

  app.get<{ Params: { token: string } }>('/u/:token', async (request, reply) =>
    verify(request.params.token) ? sendPage(reply, UNSUBSCRIBE_PAGE, PLAIN_PAGE_POLICY) : send(reply, NEUTRAL),
  );

  app.post<{ Params: { token: string } }>('/u/:token', {
    bodyLimit: MAX_BODY_BYTES,
    onResponse: afterAnswer,
    // Before a byte of the body is read.
    onRequest: async (request, reply) => (verify(request.params.token) ? undefined : send(reply, NEUTRAL)),
    handler: async (request, reply) => {
      const token = verify(request.params.token);
      if (!token) return send(reply, NEUTRAL);
      const body = typeof request.body === 'string' ? request.body : '';
      if (!isOneClick(request.headers['content-type'], body))
        return sendText(reply, 400, 'Nothing was changed: the request does not say List-Unsubscribe=One-Click.');
      const id = () => unsubscribeEventId(token.mailingId, token.recipientId);
      const durable = await spoolEvent(deps, request, { kind: 'unsubscribe', token, id });
      return durable ? sendText(reply, 200, 'You have been unsubscribed.') : send(reply, BUSY);
    },
  });
}
