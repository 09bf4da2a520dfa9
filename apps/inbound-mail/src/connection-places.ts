import { networkOf } from './network-of.js';

/** How many connections each remote address may hold. */
export class ConnectionPlaces {
  readonly #networks = new Map<string, string>();
  readonly #taken = new Map<string, number>();

  constructor(private readonly perAddress: number) {}

  /** @returns false when the address has as many as it may */
  take(connectionId: string, remoteAddress: string): boolean {
    const network = networkOf(remoteAddress);
    const taken = this.#taken.get(network) ?? 0;
    if (taken >= this.perAddress) return false;
    this.#networks.set(connectionId, network);
    this.#taken.set(network, taken + 1);
    return true;
  }

  /** Of connections that hold no place it changes nothing. */
  give(connectionId: string): void {
    const network = this.#networks.get(connectionId);
    if (network === undefined) return;
    this.#networks.delete(connectionId);
    const taken = (this.#taken.get(network) ?? 0) - 1;
    if (taken > 0) this.#taken.set(network, taken);
    else this.#taken.delete(network);
  }
}
