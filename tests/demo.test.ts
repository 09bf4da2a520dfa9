import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findRedisServer } from '@postloop/local-stack';
import { describe, expect, it } from 'vitest';

const cli = fileURLToPath(new URL('../apps/cli/dist/main.js', import.meta.url));

const CATEGORIES = ['autoresponder', 'bounce', 'fatal_bounce', 'temporary_bounce', 'unknown'];

/** What `--json` prints, as far as it is looked at one by one. */
interface Told {
  refused: number;
  opens: number;
  clicks: number;
  unsubscribes: number;
  complaints: number;
  responses: Record<string, number>;
  exports: Record<string, number>;
}

/** Runs the demo as a user does; its last line of stdout. */
async function demo(...args: string[]): Promise<Told> {
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
    'mails everyone once, and the exports hold what the recipients and their servers did',
    async () => {
      const count = 300;
      const result = await demo('--queue', queue, '--recipients', String(count));
      const { refused, opens, clicks, unsubscribes, complaints, responses, exports } = result;
      expect(result).toMatchObject({ imported: count, mailings: 2, missing: 0, duplicated: 0, unknown: 0 });
      expect(refused).toBeGreaterThan(0);
      expect(result).toMatchObject({ sent: count - refused, received: count - refused });
      expect(Object.keys(responses).sort()).toEqual(CATEGORIES);
      // The demo itself fails when these are not what the recipients counted.
      for (const figure of [opens, clicks, complaints, ...Object.values(responses)]) expect(figure).toBeGreaterThan(0);
      expect(unsubscribes).toBeGreaterThan(complaints);
      const allResponses = Object.values(responses).reduce((sum, rows) => sum + rows, 0);
      expect(exports).toMatchObject({ mailings: 2, mailingrecipients: count, opens, clicks, unsubscribes });
      expect(exports).toMatchObject({ responses: allResponses, links: expect.any(Number) });
      expect(exports.links).toBeGreaterThan(0);
    },
    180_000,
  );
});
