import { setTimeout as pause } from 'node:timers/promises';
import { appNames, type InboxRule } from '@postloop/local-stack';
import type { Random } from '../support/random.js';
import type { Apps } from './apps.js';
import type { Servers } from './servers.js';

/** A fault that was made and is over. */
export interface MadeFault {
  kind: string;
  what: string;
  /** Mails that it may leave with an unknown outcome: the places whose answer got lost (spec 5). */
  window: number;
}

export interface FaultKind {
  name: string;
  make(): Promise<Omit<MadeFault, 'kind'>>;
}

interface Parts {
  apps: Apps;
  servers: Servers;
  random: Random;
  /** Mails that a sender may have in flight: two per connection. */
  places: number;
}

/** Every kind of fault; each heals what it broke before it resolves. */
export function faultKinds({ apps, servers, random, places }: Parts): FaultKind[] {
  const between = (least: number, most: number) => least + random.below(most - least + 1);
  const smtp = (name: string, rule: () => InboxRule, lost: number): FaultKind => ({
    name,
    async make() {
      const times = between(2, 10);
      const chosen = rule();
      servers.behave({ ...chosen, times });
      await pause(between(1_000, 4_000));
      return { what: `${chosen.drop ?? chosen.reply?.code} ${times} times`, window: times * lost };
    },
  });
  const kinds: (FaultKind | undefined)[] = [
    {
      name: 'app killed',
      async make() {
        const name = random.of([...appNames, 'sender-workers' as const, 'sender-workers' as const]);
        await apps.kill(name);
        return { what: name, window: name === 'sender-workers' ? places : 0 };
      },
    },
    {
      name: 'app stopped',
      async make() {
        const name = random.of(appNames);
        const ms = between(500, 6_000);
        const app = apps.app(name);
        app.kill('SIGSTOP');
        await pause(ms);
        app.kill('SIGCONT');
        // Its lease may have been retaken: what it had in flight is then unknown until it tells the answer.
        return { what: `${name} for ${ms} ms`, window: name === 'sender-workers' ? places : 0 };
      },
    },
    servers.killRedis && {
      name: 'Redis killed',
      async make() {
        await servers.killRedis?.();
        return { what: 'and started again', window: 0 };
      },
    },
    servers.flushRedis && {
      name: 'Redis flushed',
      async make() {
        await servers.flushRedis?.();
        return { what: 'FLUSHALL', window: 0 };
      },
    },
    {
      name: 'PostgreSQL killed',
      async make() {
        await servers.killPostgres();
        return { what: 'and started again', window: places };
      },
    },
    // A dropped connection takes the answers of both its places along.
    smtp('mail server drops', () => ({ drop: random.of(['before-dot', 'after-dot', 'after-250-lost']) }), 2),
    smtp(
      'mail server refuses',
      () => ({ reply: { at: random.of(['mail', 'rcpt', 'data']), code: random.of([421, 450, 451]), text: 'later' } }),
      2,
    ),
    {
      name: 'mail server gone',
      async make() {
        await servers.restartInbox();
        return { what: 'and started again', window: places };
      },
    },
    {
      name: 'SFTP cut',
      async make() {
        const ms = between(200, 5_000);
        const { back } = await servers.cutSftp();
        await pause(ms);
        await back();
        return { what: `for ${ms} ms`, window: 0 };
      },
    },
  ];
  return kinds.filter((kind) => kind !== undefined);
}
