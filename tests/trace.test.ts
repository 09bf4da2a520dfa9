import { SpanKind } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { findRedisServer } from '@postloop/local-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApps, startApps } from './support/in-process.js';
import { mailTo } from './support/mail.js';
import { redisCommand } from './support/redis.js';
import { until } from './support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  runExport,
  type TestClient,
  untilSent,
  upload,
  type World,
} from './support/world.js';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

let world: World;
let apps: RunningApps;
let client: TestClient;
let mailings: bigint[];
beforeAll(async () => {
  provider.register();
  world = await openWorld({ apps: [] });
  apps = await startApps(world.house.env);
  client = await addClient(world, 'traced');
  mailings = await untilSent(world, client, await upload(world, client, rowsFor(client, 3)));
});
afterAll(async () => {
  await apps[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await provider.shutdown();
});

/** Waits until a span of this name has ended; it ends after what it did can be seen. */
function ended(name: string, matches: (span: ReadableSpan) => boolean = () => true): Promise<ReadableSpan> {
  return until(`a span ${name} has ended`, async () =>
    exporter.getFinishedSpans().find((span) => span.name === name && matches(span)),
  );
}

/** From a span up to the root of its trace, in the order of the walk. */
async function parentsOf(span: ReadableSpan): Promise<ReadableSpan[]> {
  const path: ReadableSpan[] = [];
  let parent = span.parentSpanContext;
  while (parent) {
    const { spanId } = parent;
    const found: ReadableSpan = await until(`the span ${spanId} has ended`, async () =>
      exporter.getFinishedSpans().find((one) => one.spanContext().spanId === spanId),
    );
    path.push(found);
    parent = found.parentSpanContext;
  }
  return path;
}

const traceOf = (span: ReadableSpan): string => span.spanContext().traceId;
const linkedTraces = (span: ReadableSpan): string[] => span.links.map(({ context }) => context.traceId);
const lineTwo = (span: ReadableSpan): boolean =>
  span.attributes['postloop.line'] === '2' && span.attributes['postloop.mailing'] === `${mailings[0]}`;

describe('the trace of a file', () => {
  it("leads from line 2's SMTP answer up to the claim, through every app", async () => {
    const mail = await ended('smtp.send', lineTwo);
    expect(mail.kind).toBe(SpanKind.CLIENT);
    expect(mail.attributes).toMatchObject({ 'postloop.outcome': 'sent', 'smtp.response.code': 250 });
    expect(mail.attributes['postloop.recipient']).toMatch(/^\d+$/);

    const path = await parentsOf(mail);
    expect(path.map(({ name }) => name)).toEqual([
      'batch.send',
      'process mail-send',
      'addBulk mail-send',
      'mailing.build',
      'process mailing-build',
      'addBulk mailing-build',
      'file.import',
      'process file-import',
      'addBulk file-import',
      'file.claim',
    ]);
    expect(new Set(path.map(traceOf))).toEqual(new Set([traceOf(mail)]));
    expect(path.find(({ name }) => name === 'file.import')?.attributes).toMatchObject({
      'postloop.rows': '3',
      'postloop.outcome': 'imported',
    });
    expect(path[0]?.attributes['postloop.attempt']).toMatch(/^\d+$/);
  });

  it('is found from an open and from the export that tells of it', async () => {
    const { pixel } = await mailTo(world.stack.inbox, 'p1@traced.example');
    expect((await fetch(pixel)).status).toBe(200);
    const { rows } = await until('the open is recorded', async () => {
      const found = await world.db.pool.query('SELECT 1 FROM event WHERE client_id = $1', [client.id]);
      return found.rows.length > 0 ? found : undefined;
    });
    expect(rows).toHaveLength(1);
    const trace = traceOf(await ended('smtp.send', lineTwo));
    expect(linkedTraces(await ended('event.record'))).toContain(trace);

    expect((await runExport(world, client)).opens).toHaveLength(1);
    const first = await ended('response.export');
    expect(linkedTraces(first)).toContain(trace);
    expect(traceOf(first)).not.toBe(trace);

    // The mailing was told before; what comes later leads back to its file all the same.
    expect((await fetch(pixel)).status).toBe(200);
    await until('the second open is recorded', async () => {
      const found = await world.db.pool.query('SELECT 1 FROM event WHERE client_id = $1', [client.id]);
      return found.rows.length > 1 || undefined;
    });
    await runExport(world, client);
    const second = await ended('response.export', (span) => span !== first);
    expect(linkedTraces(second)).toContain(trace);
  });

  it('is begun anew by the next file of the directory', async () => {
    const trace = traceOf(await ended('smtp.send', lineTwo));
    const [mailing] = await untilSent(world, client, await upload(world, client, rowsFor(client, 2)));
    const mail = await ended('smtp.send', (span) => span.attributes['postloop.mailing'] === `${mailing}`);
    expect(traceOf(mail)).not.toBe(trace);
  });

  it.skipIf(!findRedisServer())('is linked where the queue forgot a job and the reconciler asked again', async () => {
    world.stack.inbox.behave({ match: /^p0@traced/, reply: { at: 'rcpt', code: 451, text: '4.2.1 later' }, times: 1 });
    const sent = upload(world, client, [...rowsFor(client, 1)]).then((file) => untilSent(world, client, file));
    const deferred = await ended('smtp.send', (span) => span.attributes['postloop.outcome'] === 'deferred');
    expect(await redisCommand(world.stack.redis?.port ?? 0, 'FLUSHALL')).toBe('+OK');
    await sent;
    const again = await ended(
      'smtp.send',
      (span) =>
        span.attributes['postloop.mailing'] === deferred.attributes['postloop.mailing'] &&
        span.attributes['postloop.outcome'] === 'sent',
    );
    expect(traceOf(again)).not.toBe(traceOf(deferred));
    const batch = (await parentsOf(again)).find(({ name }) => name === 'batch.send');
    expect(batch && linkedTraces(batch)).toContain(traceOf(deferred));
  });

  it('names nobody', async () => {
    const told = exporter
      .getFinishedSpans()
      .map(({ name, attributes, events, status }) => ({ name, attributes, events, status }));
    expect(JSON.stringify(told)).not.toMatch(/traced\.example|Ada|News for|@/);
  });
});
