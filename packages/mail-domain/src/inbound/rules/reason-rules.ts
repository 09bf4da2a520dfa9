import type { BounceReason } from '../inbound-verdict.js';
import type { Phrase } from '../phrase.js';
import { CONTENT_PHRASES } from './content-phrases.js';
import { DOMAIN_PHRASES } from './domain-phrases.js';
import { CLOSED_PHRASES, FILTER_PHRASES } from './mailbox-phrases.js';
import { NETWORK_PHRASES } from './network-phrases.js';
import { REPUTATION_PHRASES } from './reputation-phrases.js';
import { ADMISSION_PHRASES, SENDER_PHRASES } from './sender-phrases.js';
import { SIZE_PHRASES } from './size-phrases.js';
import { SYSTEM_PHRASES } from './system-phrases.js';
import { USER_PHRASES } from './user-phrases.js';

/** Gives a reason to what a server said. */
export interface PhraseRule {
  name: string;
  /** One of them must occur. */
  phrases: readonly Phrase[];
  /** None of them may occur. */
  unless?: readonly Phrase[];
  gives: BounceReason;
}

/**
 * The first rule that matches decides: what names the mailbox's fill or the mail's content comes before what names the address,
 * because such refusals often say in passing that the recipient was rejected.
 */
export const PHRASE_RULES: readonly PhraseRule[] = [
  ...SIZE_PHRASES,
  ...CONTENT_PHRASES,
  ...ADMISSION_PHRASES,
  ...REPUTATION_PHRASES,
  ...SENDER_PHRASES,
  ...CLOSED_PHRASES,
  ...DOMAIN_PHRASES,
  ...USER_PHRASES,
  ...FILTER_PHRASES,
  ...NETWORK_PHRASES,
  ...SYSTEM_PHRASES,
];
