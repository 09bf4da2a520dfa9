import type { ChosenTransport, SendLimit } from '@postloop/db';
import type { DomainLimit } from './domain-limits.js';
import type { Limits } from './limits.js';

const NONE: readonly string[] = [];

/** Says which of the shared limits a mail counts in: those of its transport, its client and its recipient's domain (spec 4). */
export class LimitBook {
  readonly #known = new Map<string, readonly string[]>();
  readonly #domains = new Map<string, DomainLimit>();
  readonly #suffixes: DomainLimit[] = [];

  constructor(
    private readonly limits: Pick<Limits, 'set'>,
    domains: readonly DomainLimit[],
  ) {
    for (const domain of domains) {
      if (domain.pattern.startsWith('*.')) this.#suffixes.push(domain);
      else this.#domains.set(domain.pattern, domain);
      limits.set({ ...domain, scope: scopeOf(domain) });
    }
  }

  /** The scopes of a batch's mails, by address. What a client chose counts from its next batch on. */
  of(
    transport: { name: string; mailsPerSecond: number | undefined },
    { clientId, sending }: Pick<ChosenTransport, 'clientId' | 'sending'>,
  ): (email: string) => readonly string[] {
    const shared: string[] = [];
    if (transport.mailsPerSecond !== undefined)
      shared.push(
        this.#set({ scope: `transport:${transport.name}`, mailsPerSecond: transport.mailsPerSecond, places: null }),
      );
    const client: SendLimit = {
      scope: `client:${clientId}`,
      mailsPerSecond: sending.mailsPerSecond,
      places: sending.connections,
    };
    if (client.mailsPerSecond !== null || client.places !== null) shared.push(this.#set(client));
    return (email) => {
      const domain = this.#domainOf(email);
      return this.#intern(domain ? [...shared, scopeOf(domain)] : shared);
    };
  }

  #set(limit: SendLimit): string {
    this.limits.set(limit);
    return limit.scope;
  }

  #domainOf(email: string): DomainLimit | undefined {
    if (this.#domains.size === 0 && this.#suffixes.length === 0) return undefined;
    const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase();
    return this.#domains.get(domain) ?? this.#suffixes.find(({ pattern }) => domain.endsWith(pattern.slice(1)));
  }

  /** One array for all mails that count in the same. */
  #intern(scopes: readonly string[]): readonly string[] {
    if (scopes.length === 0) return NONE;
    const key = scopes.join(' ');
    const known = this.#known.get(key);
    if (known) return known;
    this.#known.set(key, scopes);
    return scopes;
  }
}

const scopeOf = ({ pattern }: DomainLimit): string => `domain:${pattern}`;
