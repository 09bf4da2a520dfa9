import { type Keyring, type TokenContent, verifyToken } from '@postloop/mail-domain';

/** Which addresses are ours, and whom a return path of ours speaks of. */
export interface OwnAddresses {
  /** What a return path says; null unless we signed it. */
  readReturnPath: (address: string) => TokenContent | null;
  /** Is mail to this address taken? Known before a byte of the message. */
  accepts: (address: string) => boolean;
}

export interface OwnAddressesOptions {
  keyring: Keyring;
  /** In lower case, as are the others. */
  returnPathDomain: string;
  addresses: ReadonlySet<string>;
  domains: ReadonlySet<string>;
}

export function ownAddresses(options: OwnAddressesOptions): OwnAddresses {
  const { keyring, returnPathDomain, addresses, domains } = options;
  const readReturnPath = (address: string): TokenContent | null => {
    const at = address.lastIndexOf('@');
    const domain = address.slice(at + 1).toLowerCase();
    // Domains that were used before stand among those whose mail is taken.
    if (at < 1 || (domain !== returnPathDomain && !domains.has(domain))) return null;
    return verifyToken(keyring, 'returnPath', address.slice(0, at));
  };
  return {
    readReturnPath,
    accepts: (address) =>
      addresses.has(address.toLowerCase()) ||
      domains.has(address.slice(address.lastIndexOf('@') + 1).toLowerCase()) ||
      readReturnPath(address) !== null,
  };
}
