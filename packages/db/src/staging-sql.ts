import { addressPattern } from '@postloop/mail-domain';
import type { ListField } from './recipient-list.js';

/**
 * SQL that checks a staged row, built from the list's fields. Only ordinals and numbers go into the text: a field's
 * name never does.
 */
export interface RowChecks {
  /** NULL, or `reason:ordinal` of the first field that is wrong. */
  problem: string;
  /** The address, trimmed. */
  email: string;
  /** The wave as bigint, or NULL. */
  wave: string;
  /** BROADMAIL_ID as text. */
  broadmailId: string;
}

export const columnOf = (ordinal: number): string => `c${ordinal}`;

export function rowChecks(fields: readonly ListField[]): RowChecks {
  const email = fields.find((field) => field.role === 'email');
  const broadmailId = fields.find((field) => field.role === 'broadmail_id');
  if (!email || !broadmailId) throw new Error('the master list has no field with role email or broadmail_id');
  const wave = fields.find((field) => field.role === 'wave_id');
  return {
    problem: `CASE ${fields.flatMap(fieldChecks).join(' ')} END`,
    email: `btrim(${columnOf(email.ordinal)})`,
    wave: wave
      ? `CASE WHEN pg_input_is_valid(${columnOf(wave.ordinal)}, 'bigint') THEN ${columnOf(wave.ordinal)}::bigint END`
      : 'NULL::bigint',
    broadmailId: columnOf(broadmailId.ordinal),
  };
}

function fieldChecks(field: ListField): string[] {
  const column = columnOf(field.ordinal);
  const when = (condition: string, reason: string) => `WHEN ${condition} THEN '${reason}:${field.ordinal}'`;
  const checks: string[] = [];
  if (field.required || field.role === 'email') checks.push(when(`${column} IS NULL`, 'missing'));
  if (field.role === 'email') {
    // Lengths: RFC 5321 4.5.3.1.1 and 4.5.3.1.3 (a path of 256 octets holds two angle brackets).
    checks.push(
      when(
        `length(btrim(${column})) > 254 OR btrim(${column}) !~ '${addressPattern.replaceAll("'", "''")}'`,
        'address',
      ),
    );
    checks.push(when(`length(split_part(btrim(${column}), '@', 1)) > 64`, 'address'));
  }
  if (field.length !== null) checks.push(when(`length(${column}) > ${Math.trunc(field.length)}`, 'too_long'));
  const type = CAST[field.type];
  // An empty string is no number: it is told apart from NULL and refused like any other text.
  if (type && field.role !== 'broadmail_id')
    checks.push(when(`${column} IS NOT NULL AND NOT pg_input_is_valid(${column}, '${type}')`, `not_${field.type}`));
  return checks;
}

const CAST: Record<ListField['type'], string | null> = {
  varchar: null,
  text: null,
  bigint: 'bigint',
  integer: 'integer',
  decimal: 'numeric',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamptz',
};

/** What a reason means to the customer. */
const MEANING: Record<string, { message: string; remedy: string }> = {
  missing: { message: 'a required value is missing', remedy: 'Fill the field.' },
  address: { message: 'this is not a deliverable e-mail address', remedy: 'Correct the address or leave the row out.' },
  too_long: { message: 'the value is longer than the field', remedy: 'Shorten it or have the field made longer.' },
};

/** Tells `reason:ordinal` in words. */
export function explainProblem(
  problem: string,
  fields: readonly ListField[],
): { column: number; message: string; remedy: string } {
  const [reason = '', ordinal = '0'] = problem.split(':');
  const field = fields[Number(ordinal) - 1];
  const meaning = MEANING[reason] ?? {
    message: `the value is not of type ${reason.replace(/^not_/, '')}`,
    remedy: 'Correct the value.',
  };
  return { column: Number(ordinal), message: `${field?.name ?? 'field'}: ${meaning.message}.`, remedy: meaning.remedy };
}
