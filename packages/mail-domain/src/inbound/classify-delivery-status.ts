import { addressOfField, findAddresses, sameAddress } from './addresses.js';
import { cleanDiagnostic } from './clean-text.js';
import { decodeWords } from './decode-words.js';
import { fieldText, type HeaderField, rawField } from './header-fields.js';
import type { InboundVerdict } from './inbound-verdict.js';
import { judgeRefusal } from './judge-refusal.js';
import { firstMessageId } from './message-ids.js';
import { findNoticeRecipients, type NoticeRecipient } from './notice-recipients.js';
import { splitNotice } from './notice-text.js';
import type { InboundReport } from './parse-inbound.js';
import { findServerCodes, saysMore, statusOfField } from './status-codes.js';
import { stageOfRefusal } from './transcript.js';

const RECIPIENT_FIELDS = ['original-recipient', 'final-recipient', 'x-actual-recipient', 'recipient'];

/** The groups that speak of a recipient (RFC 3464 2.3), not of the whole message. */
export function recipientGroups(groups: readonly HeaderField[][]): HeaderField[][] {
  return groups.filter((fields) =>
    fields.some(({ name }) => RECIPIENT_FIELDS.includes(name) || name === 'action' || name === 'diagnostic-code'),
  );
}

/** One verdict per group, in the report's order. */
export function classifyDeliveryStatus(report: InboundReport, groups: readonly HeaderField[][]): InboundVerdict[] {
  const { notice, original } = splitNotice(report.text);
  const returned = report.original ?? original ?? [];
  const told = groups.length === 1 ? [] : findNoticeRecipients(notice, []);
  return groups.map((fields) => {
    const recipient = recipientOf(fields);
    if (groups.length > 1) return classifyGroup(fields, recipient, saidOf(recipient, told), returned);
    // Of a single one the notice says all, and it may be the only one to name it.
    return classifyGroup(fields, recipient ?? findAddresses(fieldText(returned, 'to'))[0] ?? null, notice, returned);
  });
}

function saidOf(recipient: string | null, told: readonly NoticeRecipient[]): string {
  return told.find((entry) => recipient !== null && sameAddress(entry.recipient, recipient))?.said ?? '';
}

/** @param context what the notice says of this recipient */
function classifyGroup(
  fields: HeaderField[],
  recipient: string | null,
  context: string,
  returned: HeaderField[],
): InboundVerdict {
  const said = decodeWords(rawField(fields, 'diagnostic-code')).replace(/^\s*[a-z0-9-]{1,20}\s*;\s*/i, '');
  const status = rawField(fields, 'status');
  const codes = codesOf(said, status, context);
  const common = {
    recipient,
    ...codes,
    diagnostic: cleanDiagnostic(said || context || status),
    originalMessageId: firstMessageId(rawField(returned, 'message-id')),
    feedbackType: null,
  };
  const action = rawField(fields, 'action').toLowerCase();
  if (/^(delivered|relayed|expanded)/.test(action)) {
    return { ...common, kind: 'dsn', category: 'unknown', reason: 'delivered', hard: false, rule: 'dsn:success' };
  }
  const stage = stageOfRefusal(`${said}\n${context}`);
  const judged = judgeRefusal({ texts: [said, commentOf(status), context], ...codes, stage });
  if (!action.startsWith('delayed')) return { ...common, kind: 'dsn', ...judged };
  return { ...common, kind: 'delayed', category: 'unknown', reason: judged.reason, hard: false, rule: 'dsn:delayed' };
}

/** As the mail was addressed, before any forwarding. */
function recipientOf(fields: readonly HeaderField[]): string | null {
  for (const name of RECIPIENT_FIELDS) {
    const address = addressOfField(rawField(fields, name));
    if (address !== null) return address;
  }
  return null;
}

/** The server's own code before the Status field, which its reporter may have made up; a code that says something before `x.0.0`. */
function codesOf(
  said: string,
  status: string,
  context: string,
): { statusCode: string | null; smtpReply: string | null } {
  const own = findServerCodes(said);
  const field = statusOfField(status);
  const told = findServerCodes(context);
  const candidates = [own.statusCode, said === '' ? told.statusCode : null, field].filter((code) => code !== null);
  const statusCode = candidates.find(saysMore) ?? candidates[0] ?? told.statusCode;
  return { statusCode, smtpReply: own.smtpReply ?? told.smtpReply };
}

/** `5.2.1 (mailbox disabled)`. */
function commentOf(status: string): string {
  return /\(([^()]{3,300})\)/.exec(status)?.[1] ?? '';
}
