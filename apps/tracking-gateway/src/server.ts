import Fastify, { type FastifyInstance } from 'fastify';
import { afterAnswer } from './after-answer.js';
import { BUSY, NEUTRAL, send, sendText } from './answers.js';
import type { GatewayHttp } from './config.js';
import type { GatewayDeps } from './gateway-deps.js';
import { LINKS, type LinkParams } from './links.js';
import { addPlainLane } from './plain-lane.js';
import { addUnsubscribeRoutes } from './unsubscribe-route.js';
import { addWebVersionRoute } from './web-version-route.js';

/** A sealed target of MAX_TARGET_BYTES in base64url. */
const MAX_PARAM_LENGTH = 7_000;
const REQUEST_TIMEOUT_MS = 15_000;

const ROUTE_NAMES: Record<string, string> = {
  ...Object.fromEntries(LINKS.map(({ path, name }) => [path, name])),
  '/u/:token': 'unsubscribe',
  '/w/:token': 'web_version',
};

/** The HTTP side of the gateway; it does not listen yet. */
export function createServer(deps: GatewayDeps, http: GatewayHttp): FastifyInstance {
  const app: FastifyInstance = Fastify({
    logger: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    requestTimeout: REQUEST_TIMEOUT_MS,
    // A path that is no URL gets what every other junk gets.
    frameworkErrors: (_error, _request, reply) => {
      send(reply, NEUTRAL);
    },
  });
  // One-click requests come in two media types and some in none: the route looks itself.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.setNotFoundHandler((_request, reply) => send(reply, NEUTRAL));
  app.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
    const code = error.statusCode ?? 500;
    if (code < 500) return sendText(reply, code, 'The request cannot be read.');
    deps.log.error({ error: error.message }, 'a request failed');
    return send(reply, BUSY);
  });
  app.addHook('onSend', async (request, reply) => {
    const route = ROUTE_NAMES[request.routeOptions.url ?? ''] ?? 'none';
    deps.metrics.answers.inc({ route, code: String(reply.statusCode) });
  });
  for (const { path, answer } of LINKS)
    app.get<{ Params: LinkParams }>(path, { onResponse: afterAnswer }, async (request, reply) =>
      send(reply, await answer(deps, request, request.params)),
    );
  addUnsubscribeRoutes(app, deps);
  addWebVersionRoute(app, deps);
  if (http === 'lane') {
    const endPlain = addPlainLane(app.server, deps);
    app.addHook('preClose', async () => endPlain());
  }
  return app;
}
