import type { ResponseCategory } from '@postloop/db';
import { answer, complaint, deliveryStatus, type InboxRule } from '@postloop/local-stack';
import type { Email } from 'postal-mime';

/** What servers say to some mails before they take them. Whom it hits follows from the address, so a run can be repeated. */
export const REFUSALS: readonly (InboxRule & { match: RegExp; category: ResponseCategory })[] = [
  { match: /^person\.\d*13@/, reply: { at: 'rcpt', code: 550, text: '5.1.1 User unknown' }, category: 'fatal_bounce' },
  { match: /^person\.\d*37@/, reply: { at: 'data', code: 552, text: '5.2.2 Mailbox full' }, category: 'bounce' },
  { match: /^person\.\d*71@/, reply: { at: 'rcpt', code: 452, text: '4.2.2 Try later' }, category: 'temporary_bounce' },
];

/** Seconds between attempts: long enough to be seen, short enough for a demo. */
export const RETRY_SCHEDULE = '1,1';

/** A mail that was taken: its envelope and what stands in it. */
export interface Received {
  address: string;
  returnPath: string;
  mail: Email;
}

/** What comes back for a mail that was taken. */
export interface Reaction {
  category: ResponseCategory;
  /** Nobody has seen the mail. */
  bounced: boolean;
  complaint: boolean;
  /** Of 256 recipients. */
  share: number;
  write: (received: Received) => { from: string; to: string; message: string };
}

const REACTIONS: readonly Reaction[] = [
  bounce('fatal_bounce', 4, '5.1.1', '550 5.1.1 User unknown'),
  bounce('bounce', 3, '5.2.2', '552 5.2.2 Mailbox full'),
  bounce('temporary_bounce', 3, '4.4.1', '451 4.4.1 Connection timed out'),
  {
    category: 'autoresponder',
    bounced: false,
    complaint: false,
    share: 5,
    write: ({ address, returnPath: to }) => ({
      from: '',
      to,
      message: answer({ from: address, to, subject: 'Out of office', automatic: true, text: 'Back on Monday.' }),
    }),
  },
  {
    category: 'unknown',
    bounced: false,
    complaint: false,
    share: 4,
    write: ({ address: from, mail }) => {
      const to = mail.replyTo?.[0]?.address ?? mail.from?.address ?? '';
      return { from, to, message: answer({ from, to, inReplyTo: mail.messageId ?? '' }) };
    },
  },
  {
    // A feedback report says that a person complained: no bounce and no machine.
    category: 'unknown',
    bounced: false,
    complaint: true,
    share: 4,
    write: ({ address, returnPath: to }) => ({ from: '', to, message: complaint(to, address) }),
  },
];

function bounce(category: ResponseCategory, share: number, status: string, diagnostic: string): Reaction {
  const write: Reaction['write'] = ({ address: recipient, returnPath: to }) => ({
    from: '',
    to,
    message: deliveryStatus(to, [{ recipient, status, diagnostic }]),
  });
  return { category, bounced: true, complaint: false, share, write };
}

/** @param dice a number from 0 to 255 @returns undefined for most: nothing comes back */
export function reactionOf(dice: number): Reaction | undefined {
  let above = 0;
  return REACTIONS.find(({ share }) => {
    above += share;
    return dice < above;
  });
}
