import {
  classifyInbound,
  type GivenUp,
  type HeaderField,
  type InboundLimits,
  type InboundVerdict,
  parseInbound,
} from '@postloop/mail-domain/inbound';

/** What a message says, as far as anything is done with it. Plain data: it crosses from the parser's thread. */
export interface MailReading {
  /** At least one. */
  verdicts: InboundVerdict[];
  subject: string;
  /** Addresses it was sent to, as its header fields tell (a mailbox read by IMAP has no envelope). */
  addressedTo: string[];
  /** Message-IDs of mails that it speaks of, without angle brackets, the most telling first. */
  messageIds: string[];
  /** What of it was not read. */
  gaveUpOn: GivenUp[];
}

const ADDRESS_FIELDS = ['delivered-to', 'x-delivered-to', 'x-original-to', 'envelope-to', 'to'];
const MAX_FIELD = 20_000;
const MAX_FOUND = 50;

/** Reads a message. Costs what the limits allow; call it in a thread that can be ended. */
export function readMail(raw: Buffer, limits: InboundLimits): MailReading {
  const report = parseInbound(raw, limits);
  const verdicts = classifyInbound(report);
  const found = (fields: readonly HeaderField[], name: string, pattern: RegExp) =>
    valuesOf(fields, name).flatMap((value) => value.match(pattern) ?? []);
  const named = verdicts.flatMap(({ originalMessageId }) => (originalMessageId === null ? [] : [originalMessageId]));
  return {
    verdicts,
    subject: valuesOf(report.fields, 'subject')[0] ?? '',
    addressedTo: distinct(ADDRESS_FIELDS.flatMap((name) => found(report.fields, name, ADDRESS))),
    messageIds: distinct([
      ...named,
      ...found(report.original ?? [], 'message-id', MESSAGE_ID),
      ...found(report.fields, 'in-reply-to', MESSAGE_ID),
      // From the oldest to the one that was answered (RFC 5322 3.6.4).
      ...found(report.fields, 'references', MESSAGE_ID).reverse(),
    ]),
    gaveUpOn: report.gaveUpOn,
  };
}

// Only what a return path or a Message-ID of ours looks like is taken along: it is verified outside of the thread.
const ADDRESS = /\bb[a-z2-7]{8,63}@[a-z0-9.-]{1,255}/gi;
const MESSAGE_ID = /\bm[a-z2-7]{8,63}@[a-z0-9.-]{1,255}/gi;

function valuesOf(fields: readonly HeaderField[], name: string): string[] {
  return fields.filter((field) => field.name === name).map(({ value }) => value.slice(0, MAX_FIELD));
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].slice(0, MAX_FOUND);
}
