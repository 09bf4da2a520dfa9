import type { HeaderField } from './header-fields.js';

/** A notification of Amazon SES, which its users have mailed to them by SNS: JSON in JSON, folded like any long line. */
export interface SesNotification {
  /** In the form of a delivery status (RFC 3464): one group per recipient. */
  deliveryStatus: HeaderField[][];
  /** In the form of a feedback report (RFC 5965); null when it is no complaint. */
  feedback: HeaderField[] | null;
}

const MAX_TEXT = 100_000;
const MAX_RECIPIENTS = 100;
const FIELDS: readonly [name: string, key: string][] = [
  ['final-recipient', 'emailAddress'],
  ['action', 'action'],
  ['status', 'status'],
  ['diagnostic-code', 'diagnosticCode'],
];

/**
 * Reads the few members it needs by their names instead of parsing the JSON, which transport often damages.
 * @returns null when the text is no such notification
 */
export function readSesNotification(text: string): SesNotification | null {
  if (!text.slice(0, MAX_TEXT).includes('notificationType')) return null;
  const json = text
    .slice(0, MAX_TEXT)
    .replace(/!?\r?\n /g, '')
    .replaceAll('\\"', '"');
  const type = /"notificationType"\s{0,5}:\s{0,5}"(Bounce|Complaint|Delivery)"/.exec(json)?.[1];
  if (type === 'Bounce') return { deliveryStatus: bounces(json), feedback: null };
  if (type === 'Complaint') return { deliveryStatus: [], feedback: complaint(json) };
  return type === 'Delivery' ? { deliveryStatus: deliveries(json), feedback: null } : null;
}

function bounces(json: string): HeaderField[][] {
  const list = sectionAfter(json, '"bouncedRecipients"');
  return list
    .split('}', MAX_RECIPIENTS)
    .filter((entry) => entry.includes('"emailAddress"'))
    .map((entry) =>
      FIELDS.map(([name, key]) => ({ name, value: memberOf(entry, key) })).filter(({ value }) => value !== ''),
    );
}

function deliveries(json: string): HeaderField[][] {
  const said = memberOf(json, 'smtpResponse');
  return stringsIn(sectionAfter(json, '"recipients"')).map((recipient) => [
    { name: 'final-recipient', value: recipient },
    { name: 'action', value: 'delivered' },
    { name: 'diagnostic-code', value: said },
  ]);
}

function complaint(json: string): HeaderField[] {
  const complained = sectionAfter(json, '"complainedRecipients"').split('}', MAX_RECIPIENTS);
  const recipients = complained.map((entry) => memberOf(entry, 'emailAddress')).filter((address) => address !== '');
  return [
    { name: 'feedback-type', value: memberOf(json, 'complaintFeedbackType') || 'abuse' },
    ...recipients.map((value) => ({ name: 'original-rcpt-to', value })),
  ];
}

/** What stands in the brackets of a list; lists of these notifications hold no other list. */
function sectionAfter(json: string, key: string): string {
  const at = json.indexOf(key);
  const open = at < 0 ? -1 : json.indexOf('[', at);
  const close = open < 0 ? -1 : json.indexOf(']', open);
  return close < 0 ? '' : json.slice(open + 1, close);
}

function memberOf(json: string, key: string): string {
  return new RegExp(`"${key}"\\s{0,5}:\\s{0,5}"([^"]{0,1000})`).exec(json)?.[1] ?? '';
}

function stringsIn(list: string): string[] {
  return [...list.matchAll(/"([^"]{1,320})"/g)].slice(0, MAX_RECIPIENTS).map(([, value = '']) => value);
}
