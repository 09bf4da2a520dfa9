import { type HeaderField, relaxedField } from './header-fields.js';

/**
 * Fields that are signed where they are there (RFC 6376 5.4.1, RFC 8058 section 4 for the two of one-click). Not those
 * that a server on the way adds or changes: Return-Path, Received, Authentication-Results.
 */
const SIGNED = [
  'from',
  'reply-to',
  'subject',
  'date',
  'to',
  'cc',
  'message-id',
  'in-reply-to',
  'references',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'list-id',
  'list-help',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'list-owner',
  'feedback-id',
  'precedence',
  'auto-submitted',
];

/** Signed once more than they are there: nobody can add a second one and keep the signature (RFC 6376 8.15). */
const OVERSIGNED = new Set(['from', 'subject', 'to', 'list-unsubscribe', 'list-unsubscribe-post']);

/**
 * What `h=` names and what is signed of it, each canonical field with CRLF. Of several fields of a name the last stands
 * first (RFC 6376 5.4.2); a name without a field adds nothing.
 * @throws RangeError for a message without From, which may not be signed (RFC 6376 5.4)
 */
export function signedFields(fields: readonly HeaderField[]): { names: string[]; canonical: string } {
  const names: string[] = [];
  let canonical = '';
  for (const name of SIGNED) {
    for (let i = fields.length - 1; i >= 0; i -= 1) {
      const field = fields[i];
      if (field?.name !== name) continue;
      names.push(name);
      canonical += `${relaxedField(field.raw)}\r\n`;
    }
    if (name === 'from' && names.length === 0) throw new RangeError('a message without From cannot be signed');
    if (OVERSIGNED.has(name)) names.push(name);
  }
  return { names, canonical };
}
