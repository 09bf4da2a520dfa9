import { createDkimSigner, type DkimKey, type DkimSigner, isAligned } from '@postloop/mail-domain/dkim';

/** The keys that sign a mail, and whether a verifier sees one of them as the sender's own (DMARC). */
export interface KeyChoice {
  keys: readonly DkimKey[];
  aligned: boolean;
}

/**
 * The keys that a transport names by their selectors; without that, those of the From address' organisation, and when there
 * are none, all: a signature of somebody else's is better than none.
 */
export function chooseKeys(
  keys: readonly DkimKey[],
  selectors: readonly string[] | undefined,
  fromAddress: string,
): KeyChoice {
  const fromDomain = fromAddress.slice(fromAddress.lastIndexOf('@') + 1);
  const named = selectors === undefined ? keys : keys.filter(({ selector }) => selectors.includes(selector));
  const own = named.filter(({ domain }) => isAligned(domain, fromDomain));
  return { keys: selectors === undefined && own.length > 0 ? own : named, aligned: own.length > 0 };
}

const REMEMBERED = 1_000;

/** The signer of a mailing's mails. Told once per mailing when no key belongs to its From address. */
export function createSigning(
  keys: readonly DkimKey[],
  selectors: readonly string[] | undefined,
  warn: (facts: { mailingId: bigint; fromAddress: string; domains: string[] }) => void,
): (mailing: { id: bigint; fromAddress: string }) => DkimSigner {
  const warned = new Set<bigint>();
  return ({ id, fromAddress }) => {
    const choice = chooseKeys(keys, selectors, fromAddress);
    if (choice.keys.length > 0 && !choice.aligned && !warned.has(id)) {
      if (warned.size >= REMEMBERED) warned.clear();
      warned.add(id);
      warn({ mailingId: id, fromAddress, domains: [...new Set(choice.keys.map(({ domain }) => domain))] });
    }
    return createDkimSigner(choice.keys);
  };
}
