import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createKeyring, signTokens, type TokenPurpose } from '@postloop/mail-domain';
import { Registry } from 'prom-client';
import type { GatewayHttp } from '../config.js';
import type { FindPage } from '../find-page.js';
import type { FindTarget } from '../find-target.js';
import { createMetrics } from '../metrics.js';
import { createServer } from '../server.js';
import { decodeEvent, type SpooledEvent } from '../spooled-event.js';

export const MAILING_ID = 9_007_199_254_740_993_000n; // beyond 2^53
export const RECIPIENT_ID = 9_007_199_254_741_995_000n;
export const NOW = new Date('2026-11-21T08:00:00.123Z');

export const silentLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Lets events wait for their disk. */
class Hold {
  readonly #events = new EventEmitter();
  #waiting = 0;
  constructor(private held: boolean) {}

  async passed(): Promise<void> {
    this.#waiting += 1;
    this.#events.emit('waiting');
    if (this.held) await once(this.#events, 'released');
  }

  /** Resolves when so many events have come. */
  async waiting(count: number): Promise<void> {
    while (this.#waiting < count) await once(this.#events, 'waiting');
  }

  release(): void {
    this.held = false;
    this.#events.emit('released');
  }
}

/** A gateway without a disk or a database: what would be spooled is in `spooled`. */
export function openTestGateway(
  options: {
    findTarget?: FindTarget;
    findPage?: FindPage;
    spoolFails?: boolean;
    /** Events wait until `hold` is released. */
    holds?: boolean;
    http?: GatewayHttp;
    secret?: Buffer;
  } = {},
) {
  const keys = [{ id: 7, secret: options.secret ?? randomBytes(32) }];
  const keyring = createKeyring({ keys, current: 7 });
  const registry = new Registry();
  const spooled: SpooledEvent[] = [];
  const hold = new Hold(options.holds ?? false);
  const app = createServer(
    {
      keyring,
      spool: {
        async append(payload) {
          if (options.spoolFails) throw new Error('ENOSPC: no space left on device');
          spooled.push(decodeEvent(payload));
          await hold.passed();
        },
      },
      findTarget: options.findTarget ?? (async () => ({ state: 'unknown' })),
      findPage: options.findPage ?? (async () => ({ state: 'gone' })),
      clock: { now: () => NOW },
      metrics: createMetrics(registry),
      log: silentLog,
    },
    options.http ?? 'lane',
  );
  const token = (purpose: TokenPurpose, ordinal: number): string =>
    signTokens(keyring, MAILING_ID, RECIPIENT_ID, [{ purpose, ordinal }]).join('');
  return { app, keyring, registry, spooled, hold, token };
}
