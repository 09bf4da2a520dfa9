import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { Agent } from 'undici';
import { isAddressAllowed } from './address-guard.js';
import { notAllowed, type UrlRules } from './check-url.js';

export interface ResolvedAddress {
  address: string;
  family: number;
}
/** All addresses of a host. */
export type Resolve = (host: string) => Promise<ResolvedAddress[]>;

export const resolveBySystem: Resolve = (host) => systemLookup(host, { all: true, verbatim: true });

/**
 * Connects only to addresses that were checked: the answer that is judged is the answer that is connected to, so a name
 * server that answers differently the next time changes nothing. One address that is not allowed refuses the host.
 */
export function createGuardedAgent(rules: Pick<UrlRules, 'networks'>, resolve: Resolve, timeoutMs: number): Agent {
  const lookup: LookupFunction = (host, options, done) => {
    resolve(host).then(
      (addresses) => {
        const [first] = addresses;
        if (!first) return done(new Error(`${host} has no address`), '');
        if (!addresses.every(({ address }) => isAddressAllowed(address, rules.networks)))
          return done(notAllowed(host), '');
        if (options.all) return done(null, addresses);
        done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, ''),
    );
  };
  return new Agent({
    connect: { lookup, timeout: timeoutMs },
    connections: 8,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxHeaderSize: 16_384,
  });
}
