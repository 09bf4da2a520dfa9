import { addressPattern } from '@postloop/mail-domain';
import { type FieldForm, formOf, sendAtForm } from './field-form.js';
import type { ListField } from './recipient-list.js';

/**
 * SQL over a row of `mailing_recipient`: NULL, or `reason:ordinal` of the first field that is wrong. Only ordinals and numbers go
 * into the text: a field's name never does.
 */
export const problemOf = (fields: readonly ListField[]): string => `CASE ${fields.flatMap(fieldChecks).join(' ')} END`;

/** SQL over a column of SEND_AT: as timestamptz, NULL when it is empty or bad; and whether it is bad, never NULL. */
export const sendAtOf = (column: string): { sendAt: string; isSendAtBad: string } => ({
  sendAt: `CASE WHEN ${isBad(column, sendAtForm)} THEN NULL ELSE ${column}::timestamptz END`,
  isSendAtBad: `coalesce(${isBad(column, sendAtForm)}, false)`,
});

/** What spreadsheets leave around an address; RecipientRows trims the same. */
const WHITE_SPACE = "E' \\t\\n\\r\\u00a0\\ufeff'";

const trimmed = (column: string): string => `btrim(${column}, ${WHITE_SPACE})`;

/** The order of the checks is that of the columns: the first problem of a row is told. */
function fieldChecks(field: ListField): string[] {
  const column = `fields[${field.ordinal}]`;
  const when = (condition: string, reason: string) => `WHEN ${condition} THEN '${reason}:${field.ordinal}'`;
  const checks: string[] = [];
  if (field.required || field.role === 'email') checks.push(when(`${column} IS NULL`, 'missing'));
  if (field.role === 'email')
    // Most are trimmed already, and to see that is cheaper than to trim.
    checks.push(when(`(${isNoAddress(column)}) AND (${isNoAddress(trimmed(column))})`, 'address'));
  if (field.length !== null) checks.push(when(isTooLong(column, Math.trunc(field.length)), 'too_long'));
  // Whoever names no source mailing stops the whole file, in words of its own.
  if (field.role === 'broadmail_id') return checks;
  const form = formOf(field);
  if (form.pattern) checks.push(when(isBad(column, form), `not_${field.type}`));
  return checks;
}

/** In characters, which only a text of more bytes can exceed. */
const isTooLong = (column: string, length: number): string =>
  `octet_length(${column}) > ${length} AND length(${column}) > ${length}`;

/**
 * Lengths: RFC 5321 4.5.3.1.1 and 4.5.3.1.3 (a path of 256 octets holds two angle brackets). Labels of more than 63 characters
 * are looked for apart, where there is room for one: with that bound in it, the pattern takes ten times as long.
 */
const isNoAddress = (address: string): string =>
  `length(${address}) > 254 OR strpos(${address}, '@') > 65 OR ${address} !~ ${literal(unboundedPattern)}
     OR length(${address}) > 64 AND split_part(${address}, '@', 2) ~ '[^.]{64}'`;

const unboundedPattern = addressPattern.replaceAll('{0,61}', '*');

/** NULL for NULL. The pattern is asked first: it is cheaper than a cast, and what passes it casts in one way only. */
const isBad = (column: string, { pattern, bounds }: FieldForm): string =>
  [pattern && `${column} !~ ${literal(pattern)}`, bounds && `NOT pg_input_is_valid(${column}, '${bounds}')`]
    .filter(Boolean)
    .join(' OR ');

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** What a reason means to the customer. */
function meaningOf(reason: string, field: ListField | undefined): { message: string; remedy: string } {
  switch (reason) {
    case 'missing':
      return { message: 'a required value is missing', remedy: 'Fill the field.' };
    case 'address':
      return {
        message: 'this is not a deliverable e-mail address',
        remedy: 'Correct the address or leave the row out.',
      };
    case 'too_long':
      return {
        message: `the value is longer than ${field?.length ?? "the field's"} characters`,
        remedy: 'Shorten it or have the field made longer.',
      };
    default: {
      const form = field ? formOf(field).form : reason.replace(/^not_/, '');
      return { message: `this is not ${form}`, remedy: 'Correct the value or leave the row out.' };
    }
  }
}

/** Tells `reason:ordinal` in words. */
export function explainProblem(
  problem: string,
  fields: readonly ListField[],
): { column: number; message: string; remedy: string } {
  const [reason = '', ordinal = '0'] = problem.split(':');
  const field = fields[Number(ordinal) - 1];
  const { message, remedy } = meaningOf(reason, field);
  return { column: Number(ordinal), message: `${field?.name ?? 'field'}: ${message}.`, remedy };
}
