/** Categories of the response files (responses.csv): what a returned mail means for its recipient. */
export type ResponseCategory = 'unknown' | 'bounce' | 'temporary_bounce' | 'fatal_bounce' | 'autoresponder';

/**
 * What came back: a delivery status notification (RFC 3464), a bounce in prose, a feedback report (RFC 5965), an automatic answer
 * (RFC 3834), a person's answer, or the notice that a mail is late but not given up.
 */
export type InboundKind = 'dsn' | 'free_text' | 'arf' | 'auto_reply' | 'reply' | 'delayed';

/** Stable names; they are stored and exported. */
export type BounceReason =
  | 'authfailure'
  | 'blocked'
  | 'contenterror'
  | 'delivered'
  | 'expired'
  | 'feedback'
  | 'filtered'
  | 'greylisted'
  | 'hasmoved'
  | 'hostunknown'
  | 'mailboxfull'
  | 'mailererror'
  | 'mesgtoobig'
  | 'networkerror'
  | 'norelaying'
  | 'notaccept'
  | 'policyviolation'
  | 'ratelimited'
  | 'rejected'
  | 'requireptr'
  | 'spamdetected'
  | 'suspend'
  | 'syntaxerror'
  | 'systemerror'
  | 'undefined'
  | 'userunknown'
  | 'vacation'
  | 'virusdetected';

/** What a message says about one recipient. */
export interface InboundVerdict {
  /** `unknown` also for complaints and for what is no bounce (`delayed`, a report of success). */
  category: ResponseCategory;
  kind: InboundKind;
  /** Address as the mail was sent to it, else as the server names it; null when the message names nobody. */
  recipient: string | null;
  /** Enhanced status code (RFC 3463) that the server gave, such as `5.1.1`. */
  statusCode: string | null;
  /** SMTP reply code (RFC 5321 4.2) that the server gave, such as `550`. */
  smtpReply: string | null;
  reason: BounceReason;
  /** True when the address will never work. Implies `fatal_bounce`. */
  hard: boolean;
  /** What the server said: printable, on one line, at most 500 characters. */
  diagnostic: string;
  /** Name of the rule that decided. A name is never given to another rule. */
  rule: string;
  /** Message-ID of the mail that this is about, without angle brackets. */
  originalMessageId: string | null;
  /** Feedback-Type of a feedback report, such as `abuse`; `auth-failure` is no complaint. */
  feedbackType: string | null;
}

/** Reasons for which an address will never work. Full, busy, choosy and misconfigured are not among them. */
export const HARD_REASONS: ReadonlySet<BounceReason> = new Set(['userunknown', 'hostunknown', 'hasmoved', 'notaccept']);
