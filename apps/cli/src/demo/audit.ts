import { noResponses, type ResponseCounts } from '@postloop/db';
import type { SmtpInbox } from '@postloop/local-stack';
import type { Person } from './people.js';
import { REFUSALS } from './reactions.js';

/** The balance at the mail server, without asking the database. */
export interface Audit {
  /** Rows of the file whose mail was accepted. */
  received: number;
  /** Rows whose server refused the mail. */
  refused: number;
  /** Rows whose server would have taken a mail, and that have none. */
  missing: number;
  /** Mails that were accepted once too often: the same Message-ID again, or a second mail to a row. */
  duplicated: number;
}

export function auditInbox(inbox: SmtpInbox, people: readonly Person[]): Audit {
  const mailsTo = new Map<string, number>();
  for (const entry of inbox.journal()) {
    if (entry.type !== 'accepted') continue;
    for (const address of entry.envelopeTo) mailsTo.set(address, (mailsTo.get(address) ?? 0) + 1);
  }
  const received = people.filter(({ email }) => mailsTo.has(email)).length;
  const refused = people.filter(({ email }) => refusalOf(email) && !mailsTo.has(email)).length;
  const repeated = [...inbox.acceptedMessageIds().values()].reduce((sum, times) => sum + times - 1, 0);
  const secondMails = people.reduce((sum, { email }) => sum + Math.max(0, (mailsTo.get(email) ?? 0) - 1), 0);
  return {
    received,
    refused,
    missing: people.length - received - refused,
    duplicated: Math.max(repeated, secondMails),
  };
}

/** What the servers answered to those whose mails they refused, by what it means. */
export function countRefusals(people: readonly Person[]): ResponseCounts {
  const counts = { ...noResponses };
  for (const { email } of people) {
    const refusal = refusalOf(email);
    if (refusal) counts[refusal.category] += 1;
  }
  return counts;
}

const refusalOf = (email: string) => REFUSALS.find(({ match }) => match.test(email));
