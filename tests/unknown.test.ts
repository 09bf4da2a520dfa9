import { findRedisServer } from '@postloop/local-stack';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acceptedAddresses, acceptedTwice } from './support/balance.js';
import { runCli } from './support/cli.js';
import { redisCommand } from './support/redis.js';
import { until } from './support/until.js';
import {
  addClient,
  openWorld,
  rowsFor,
  runExport,
  sendingApps,
  untilSent,
  upload,
  type World,
} from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld({
    apps: [...sendingApps, 'response-exporter'],
    env: { SMTP_CONNECTIONS: '1', BATCH_SIZE: '10' },
  });
});
afterAll(() => world[Symbol.asyncDispose]());

interface Unknown {
  recipientId: string;
  email: string;
}

/** A command that is to succeed; its JSON. */
async function ask<T>(...args: string[]): Promise<T> {
  const { code, json, stderr } = await runCli([...args, '--json'], world.house.env);
  expect(code, `${args.join(' ')}: ${stderr}${JSON.stringify(json)}`).toBe(0);
  return json as T;
}

const unknownOf = async (mailing: bigint) => ask<Unknown[]>('unknown', 'list', '--mailing', String(mailing));

it('a mail whose outcome is unknown is listed, sent again by hand under its Message-ID, and told in no second export', async () => {
  const client = await addClient(world, 'undecided');
  world.stack.inbox.behave({ match: /^p7@undecided/, drop: 'after-dot', times: 1 });
  const [mailing = 0n] = await untilSent(world, client, await upload(world, client, rowsFor(client, 30)));
  const before = await runExport(world, client);
  expect(before.mailingrecipients).toHaveLength(30);
  const listed = await unknownOf(mailing);
  expect(listed.map(({ email }) => email)).toContain('p7@undecided.example');
  expect(acceptedAddresses(world.stack.inbox)).not.toContain('p7@undecided.example');

  const again = listed.find(({ email }) => email === 'p7@undecided.example')?.recipientId ?? '';
  expect(await ask('unknown', 'resend', String(mailing), again)).toMatchObject({ recipients: 1 });
  await until('it is sent', async () => acceptedAddresses(world.stack.inbox).has('p7@undecided.example') || undefined);
  await until('the mailing is finished again', async () => {
    const { rows } = await world.db.pool.query(`SELECT 1 FROM mailing WHERE id = $1 AND status = 'finished'`, [
      mailing,
    ]);
    return rows[0];
  });
  const dots = world.stack.inbox.journal().filter(({ envelopeTo }) => envelopeTo.includes('p7@undecided.example'));
  expect(new Set(dots.map(({ messageId }) => messageId)).size).toBe(1);
  expect((await unknownOf(mailing)).map(({ recipientId }) => recipientId)).not.toContain(again);
  expect(acceptedTwice(world.stack.inbox)).toBe(0);
  const after = await runExport(world, client);
  expect([after.mailings, after.mailingrecipients]).toEqual([[], []]);
});

it('one that was closed is final: no longer listed, not sent by a later resend', async () => {
  const client = await addClient(world, 'closed');
  world.stack.inbox.behave({ match: /^p3@closed/, drop: 'after-dot', times: 1 });
  const [mailing = 0n] = await untilSent(world, client, await upload(world, client, rowsFor(client, 5)));
  const listed = await unknownOf(mailing);
  expect(listed.length).toBeGreaterThanOrEqual(1);

  expect(await ask('unknown', 'close', String(mailing), '--note', 'the customer called them')).toMatchObject({
    recipients: listed.length,
  });
  expect(await unknownOf(mailing)).toEqual([]);
  expect(await ask('unknown', 'resend', String(mailing))).toMatchObject({ recipients: 0 });
});

it.skipIf(!findRedisServer())(
  'queue rebuild brings back what a flushed queue forgot, without the scheduler',
  async () => {
    const client = await addClient(world, 'rebuilt');
    world.stack.inbox.behave({ delayMs: 10 });
    await world.house.app('scheduler').stop();
    const accepted = world.stack.inbox.counts.accepted;
    const file = await upload(world, client, rowsFor(client, 100));
    await world.stack.inbox.waitForAccepted(accepted + 5);
    await world.house.app('sender-workers').kill('SIGKILL');
    await world.house.app('sender-workers').exited;
    expect(await redisCommand(world.stack.redis?.port ?? 0, 'FLUSHALL')).toBe('+OK');
    await world.house.start('sender-workers');
    await until('the lease of the killed sender has run out', async () => {
      const { rows } = await world.db.pool.query(
        `SELECT 1 FROM send_batch WHERE status = 'claimed' AND lease_until > now()`,
      );
      return rows.length === 0 || undefined;
    });

    const rebuilt = await ask<{ queue: string; jobs: number }[]>('queue', 'rebuild');
    expect(rebuilt.find(({ queue }) => queue === 'mail-send')?.jobs).toBeGreaterThanOrEqual(5);
    await untilSent(world, client, file);
    world.stack.inbox.behaveNormally();
  },
);
