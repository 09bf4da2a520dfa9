import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApp } from './app-process.js';
import { describeProcess } from './process-info.js';
import { temporaryDirectory } from './temporary-directory.js';

let dir: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  dir = await temporaryDirectory();
});
afterAll(() => dir[Symbol.asyncDispose]());

async function program(name: string, text: string): Promise<{ main: string; logFile: string }> {
  const main = join(dir.path, `${name}.mjs`);
  await writeFile(main, text);
  return { main, logFile: join(dir.path, 'logs', `${name}.log`) };
}

const HEALTHY = `
import { createServer } from 'node:http';
let asked = 0;
console.log(JSON.stringify(Object.keys(process.env).sort()), process.env.POSTLOOP_KILL_POINT);
const server = createServer((request, response) => {
  response.writeHead(request.url === '/readyz' && ++asked > 1 ? 200 : 503).end();
}).listen(Number(process.env.HEALTH_PORT), '127.0.0.1');
process.on('SIGTERM', () => { console.log('stopping'); server.close(); server.closeAllConnections(); });
`;

test('an app is started with exactly the given environment, is ready when it says so, and stops in order', async () => {
  const files = await program('healthy', HEALTHY);
  const app = await startApp('healthy', { ...files, env: { GREETING: 'hello' }, killPoint: 'after-claim' });
  expect((await fetch(`http://127.0.0.1:${app.healthPort}/readyz`)).status).toBe(200);
  expect(await app.stop()).toEqual({ code: 0, signal: null });
  const log = await readFile(files.logFile, 'utf8');
  expect(log).toBe('["GREETING","HEALTH_PORT","PATH","POSTLOOP_KILL_POINT"] after-claim\nstopping\n');
  expect(app.kill('SIGKILL')).toBe(false);
});

test('an app that can be killed says how it ended', async () => {
  const app = await startApp('killed', { ...(await program('killed', HEALTHY)), env: {} });
  app.kill('SIGKILL');
  expect(await app.exited).toEqual({ code: null, signal: 'SIGKILL' });
});

test('an app that ends before it is ready is reported at once, with its last words', async () => {
  const files = await program('broken', 'console.error("DATABASE_URL is missing"); process.exitCode = 78;');
  await expect(startApp('broken', { ...files, env: {} })).rejects.toThrow(
    /broken ended with code 78[\s\S]*DATABASE_URL is missing/,
  );
});

test('an app that never becomes ready is killed', async () => {
  const files = await program('silent', 'console.log("thinking", process.pid); setInterval(() => {}, 1000);');
  const start = startApp('silent', { ...files, env: {}, readyTimeoutMs: 1_500 });
  await expect(start).rejects.toThrow(/not ready within 1500 ms[\s\S]*thinking/);
  const pid = Number(/\d+/.exec(await readFile(files.logFile, 'utf8'))?.[0]);
  await expect.poll(() => describeProcess(pid)).toBeUndefined();
});
