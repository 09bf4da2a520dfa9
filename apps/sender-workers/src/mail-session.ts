import type { RenderedMail } from '@postloop/mail-domain';
import type { SmtpOutcome } from './smtp-answer.js';

/** The signatures of a mail without any. */
export const UNSIGNED = Buffer.alloc(0);

/** The mails of one SMTP connection that is open and logged in. */
export interface MailSession {
  readonly isOpen: boolean;
  /** Resolves with the reason when the connection is gone. */
  readonly closed: Promise<string>;
  /** Hands a mail over, with the fields of its signatures in front. Never rejects. */
  send(mail: RenderedMail, signatures?: Buffer): Promise<SmtpOutcome>;
  /** Says QUIT and closes, unless a mail is under way. */
  quitWhenIdle(): void;
}
