import { findAddresses, sameAddress } from './addresses.js';
import { rangeOfLines } from './lines.js';

/** A recipient that a notice names, and what the notice says of it. */
export interface NoticeRecipient {
  recipient: string;
  said: string;
}

/** A line that is an address and little else: `<a@b>:`, `a@b`, `a@b on Thu, ...`, `>>> a@b <a@b>`, `550 <a@b>... User unknown`. */
const LEADING =
  /^[\s>*"'(-]{0,20}(?:[45]\d\d[ -](?:[45]\.\d\.\d{1,3} )?)?(?:(?:to|rcpt to|recipient|address|user|e-?mail|mailbox|final-recipient|failed recipient|original-recipient)\s{0,5}[:;]\s{0,10})?(?:rfc822;\s?)?["']?[<[(]?(?:mailto:|smtp:)?[^\s<>@;,]{1,64}@[A-Za-z0-9.-]{1,255}[>\])]?["']?(?:\s*[:;,.)>-]|\s*$|\s+(?:on|\(|<|\.\.\.|the|is|has|was|user|said|unknown|failed|does|mailbox|host|not|account|addr)|\.\.\.)/i;
const MAX_RECIPIENTS = 100;
const NEVER = /^(?:mailer-daemon|postmaster|mail-daemon|abuse|no-?reply|root|mail-noreply)@/i;

/**
 * The recipients that a notice reports, in its order: those that open a line; if there are none, the first address in the text.
 * @param exclude addresses that are named for another reason, such as whom the notice is sent to; they count when there is no other
 */
export function findNoticeRecipients(notice: string, exclude: readonly string[]): NoticeRecipient[] {
  const found = searchRecipients(notice, exclude);
  return found.length === 0 && exclude.length > 0 ? searchRecipients(notice, []) : found;
}

function searchRecipients(notice: string, exclude: readonly string[]): NoticeRecipient[] {
  const lines = rangeOfLines(notice);
  const skip = (address: string): boolean =>
    NEVER.test(address) || exclude.some((other) => sameAddress(other, address));
  const opening = lines.map((line) =>
    LEADING.test(line) ? findAddresses(line).find((found) => !skip(found)) : undefined,
  );
  const recipients = distinct(opening.filter((address) => address !== undefined)).slice(0, MAX_RECIPIENTS);
  if (recipients.length > 0)
    return recipients.map((recipient) => ({ recipient, said: saidOf(recipient, lines, opening) }));
  const anywhere = findAddresses(notice).find((address) => !skip(address));
  return anywhere === undefined ? [] : [{ recipient: anywhere, said: notice }];
}

/** Each opening line of the recipient with what follows up to the next recipient. */
function saidOf(recipient: string, lines: readonly string[], opening: readonly (string | undefined)[]): string {
  let own = false;
  const said: string[] = [];
  for (const [index, line] of lines.entries()) {
    const address = opening[index];
    if (address !== undefined) own = sameAddress(address, recipient);
    if (own) said.push(line);
  }
  return said.join('\n');
}

function distinct(addresses: readonly string[]): string[] {
  const byName = new Map(addresses.map((address) => [address.toLowerCase(), address]));
  return [...byName.values()];
}
