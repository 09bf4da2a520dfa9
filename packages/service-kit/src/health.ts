import type { AddressInfo } from 'node:net';
import { describeError } from '@postloop/contracts';
import Fastify from 'fastify';
import type { Registry } from 'prom-client';

/** Resolves when the dependency answers, rejects with the reason when it does not. */
export type ReadinessCheck = () => Promise<unknown>;

const CHECK_TIMEOUT_MS = 2_000;

/** `/healthz` (the process lives), `/readyz` (its dependencies answer), `/metrics` (Prometheus). */
export async function startHealthServer(options: {
  host: string;
  port: number;
  metrics: Registry;
  checks: () => Record<string, ReadinessCheck> | undefined;
}): Promise<AsyncDisposable & { port: number }> {
  const server = Fastify({ logger: false, forceCloseConnections: true });
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const checks = options.checks();
    if (!checks) return reply.code(503).send({ status: 'starting' });
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await probe(check)] as const),
    );
    const ready = results.every(([, result]) => result === 'ok');
    return reply
      .code(ready ? 200 : 503)
      .send({ status: ready ? 'ready' : 'not ready', ...Object.fromEntries(results) });
  });
  server.get('/metrics', async (_request, reply) => {
    reply.header('content-type', options.metrics.contentType);
    return options.metrics.metrics();
  });
  await server.listen({ host: options.host, port: options.port });
  const address = server.server.address() as AddressInfo;
  return { port: address.port, [Symbol.asyncDispose]: () => server.close() };
}

async function probe(check: ReadinessCheck): Promise<string> {
  const deadline = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('no answer in time')), CHECK_TIMEOUT_MS).unref();
  });
  try {
    await Promise.race([check(), deadline]);
    return 'ok';
  } catch (error) {
    return describeError(error);
  }
}
