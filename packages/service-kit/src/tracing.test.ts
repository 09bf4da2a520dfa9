import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';

const KIT = new URL('../dist/index.js', import.meta.url).href;

/** A service that does one thing in a span and is asked to stop. */
const SERVICE = `
  import { runService, serviceConfig, withSpan, describeSpan } from '${KIT}';
  import { z } from 'zod';
  await runService('probe', z.object(serviceConfig), async (config, { log }) => {
    const work = () => withSpan('work', { attributes: { 'postloop.import': 9007199254740993000n } }, async () => {
      describeSpan({ 'postloop.rows': 3 });
      log.info('at work');
      throw new RangeError('ada@example.org is no number');
    });
    await work().catch(() => undefined);
    setImmediate(() => process.kill(process.pid, 'SIGTERM'));
    return { checks: {}, async [Symbol.asyncDispose]() {} };
  });`;

/** Tells every module of OpenTelemetry that is loaded. */
const WATCH = `data:text/javascript,${encodeURIComponent(`
  import { register } from 'node:module';
  register('data:text/javascript,' + encodeURIComponent(
    'export async function load(url, context, next) {' +
    '  if (url.includes("opentelemetry")) process._rawDebug("LOADED " + url); return next(url, context); }'));`)}`;

async function runProbe(env: Record<string, string>): Promise<{ code: number | null; told: string }> {
  const child = spawn(process.execPath, ['--import', WATCH, '--input-type=module', '-e', SERVICE], {
    cwd: new URL('..', import.meta.url),
    env: { HEALTH_HOST: '127.0.0.1', HEALTH_PORT: '0', ...env },
  });
  const [told, logged, code] = await Promise.all([
    text(child.stderr),
    text(child.stdout),
    new Promise<number | null>((resolve) => child.on('close', resolve)),
  ]);
  return { code, told: told + logged };
}

it('off: the service runs, and nothing of OpenTelemetry is loaded', async () => {
  const { code, told } = await runProbe({});
  expect(code, told).toBe(0);
  expect(told).toContain('"stopped"');
  expect(told).not.toContain('LOADED');
});

it('on: the collector has the spans when the process ends, with IDs and counts and without the words of an error', async () => {
  const bodies: string[] = [];
  const collector = createServer(async (request, response) => {
    bodies.push(`${request.url} ${await text(request)}`);
    response.end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const { port } = collector.address() as AddressInfo;
  const { code, told } = await runProbe({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}/` });
  collector.close();
  expect(code, told).toBe(0);
  const body = bodies.join('\n');
  expect(body).toMatch(/^\/v1\/traces /);
  for (const part of ['"name":"work"', '"probe"', '"9007199254740993000"', '"postloop.rows"', '"RangeError"'])
    expect(body).toContain(part);
  expect(body).not.toContain('ada@');
  // From a line of the log to its trace.
  const traceId = /"traceId":"([0-9a-f]{32})"/.exec(body)?.[1];
  expect(told).toMatch(new RegExp(`"traceId":"${traceId}","msg":"at work"`));
});

it('a collector that is away fails nothing, is complained of, and does not hold up the end for long', async () => {
  const begin = performance.now();
  const away = await runProbe({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  expect(away.code, away.told).toBe(0);
  expect(away.told).toMatch(/"level":"warn".*"traces"/);
  expect(performance.now() - begin).toBeLessThan(10_000);
});
