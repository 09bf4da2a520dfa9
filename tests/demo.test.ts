import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findRedisServer } from '@postloop/local-stack';
import { describe, expect, it } from 'vitest';

const cli = fileURLToPath(new URL('../apps/cli/dist/main.js', import.meta.url));

/** Runs the demo as a user does; its last line of stdout. */
async function demo(...args: string[]): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, [cli, 'demo', '--once', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let told = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    told += chunk;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code, told).toBe(0);
  return JSON.parse(out.trim().split('\n').at(-1) ?? '');
}

describe.each(['redis', 'postgres'])('npm run demo on the %s queue', (queue) => {
  it.skipIf(queue === 'redis' && !findRedisServer())(
    'mails everyone once, and the exports hold what the recipients did',
    async () => {
      const count = 300;
      const result = await demo('--queue', queue, '--recipients', String(count));
      expect(result).toMatchObject({
        imported: count,
        sent: count,
        received: count,
        missing: 0,
        duplicated: 0,
        unknown: 0,
        mailings: 2,
      });
      expect(result.opens).toBeGreaterThan(0);
      expect(result.clicks).toBeGreaterThan(0);
      expect(result.unsubscribes).toBeGreaterThan(0);
      expect(result.exports).toMatchObject({
        mailings: 2,
        mailingrecipients: count,
        opens: result.opens,
        clicks: result.clicks,
        unsubscribes: result.unsubscribes,
        responses: 0,
      });
    },
    180_000,
  );
});
