import { addressProblem } from './address.js';
import type { Keyring } from './keyring.js';
import type { Attachment } from './mail-parts.js';

/** What all mails of one mailing share beside their content. */
export interface RendererOptions {
  mailingId: bigint;
  clientId: bigint;
  keyring: Keyring;
  /** Where the tracking gateway is reached, such as `https://track.example.com`. */
  publicUrl: string;
  /** Domain of the envelope sender and of the Message-ID. */
  returnPathDomain: string;
  /** Without angle brackets (RFC 2919), such as `42.list.example.com`. */
  listId: string;
  /** An address that takes unsubscribe mails; without it they go to the return path. */
  listUnsubscribeMailto?: string;
  /** Files of every mail; encoded once. */
  attachments?: readonly Attachment[];
}

const PUBLIC_URL = /^https?:\/\/[A-Za-z0-9.:[\]-]+(\/[A-Za-z0-9._~-]+)*$/;
const DOMAIN = /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;
/** A path has 254 octets (RFC 5321 4.5.3.1.3), and a local part takes up to 64 and the @. */
const MAX_DOMAIN = 189;

/**
 * These values go into headers and attributes as they are.
 * @returns the public URL without a slash at its end
 * @throws RangeError for one that could not
 */
export function checkedPublicUrl(options: RendererOptions): string {
  const publicUrl = options.publicUrl.replace(/\/+$/, '');
  const { returnPathDomain, listId, listUnsubscribeMailto } = options;
  if (!PUBLIC_URL.test(publicUrl)) throw new RangeError(`"${publicUrl}" is no public URL`);
  if (!DOMAIN.test(returnPathDomain) || returnPathDomain.length > MAX_DOMAIN)
    throw new RangeError(`"${returnPathDomain}" is no domain for return paths`);
  if (!DOMAIN.test(listId)) throw new RangeError(`"${listId}" is no list ID`);
  const problem = listUnsubscribeMailto === undefined ? null : addressProblem(listUnsubscribeMailto);
  if (problem) throw new RangeError(`the address for unsubscribe mails ${problem}`);
  return publicUrl;
}
