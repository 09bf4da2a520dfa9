import { addressProblem } from '@postloop/mail-domain';
import { formOf } from './field-form.js';
import type { ListField } from './recipient-list.js';

/** Longer values are not remembered. */
const REMEMBERED = 64;

/**
 * Knows values of a field that are surely well-formed, by their bytes: nearly all that are. What it does not know is looked at
 * by PostgreSQL (`rowChecks`), which alone says what is bad.
 */
export class SureValues {
  readonly #required: boolean;
  readonly #mostBytes: number;
  readonly #isSure: ((text: string) => boolean) | undefined;
  /** Addresses seldom come twice running. */
  readonly #last: LastValue | undefined;

  constructor(field: ListField) {
    this.#required = field.required || field.role === 'email';
    // A text has no more characters than bytes.
    this.#mostBytes = field.length === null ? Number.POSITIVE_INFINITY : Math.trunc(field.length);
    this.#isSure = sureTest(field);
    this.#last = field.role === 'email' ? undefined : new LastValue();
  }

  /** @param end -1: the value is NULL */
  has(bytes: Buffer, start: number, end: number): boolean {
    if (end < 0) return !this.#required;
    if (end - start > this.#mostBytes) return false;
    if (!this.#isSure || this.#last?.is(bytes, start, end)) return true;
    // All forms are ASCII.
    if (!this.#isSure(bytes.toString('latin1', start, end))) return false;
    this.#last?.set(bytes, start, end);
    return true;
  }
}

/** Undefined: any text is. */
function sureTest(field: ListField): ((text: string) => boolean) | undefined {
  if (field.role === 'broadmail_id') return undefined;
  const { sure } = formOf(field);
  const form = sure === undefined ? undefined : new RegExp(sure);
  if (field.role === 'email') return (text) => addressProblem(text) === null && (form?.test(text) ?? true);
  return form && ((text) => form.test(text));
}

/** The value that came last: often it is that of the next row, too. */
export class LastValue {
  readonly #bytes = Buffer.alloc(REMEMBERED);
  /** -1: NULL; -2: none came. */
  #length = -2;

  is(bytes: Buffer, start: number, end: number): boolean {
    if (end < 0) return this.#length === -1;
    if (end - start !== this.#length) return false;
    for (let at = 0; at < this.#length; at += 1) if (bytes[start + at] !== this.#bytes[at]) return false;
    return true;
  }

  set(bytes: Buffer, start: number, end: number): void {
    this.#length = end < 0 ? -1 : end - start;
    if (this.#length > REMEMBERED) this.#length = -2;
    else if (end >= 0) bytes.copy(this.#bytes, 0, start, end);
  }
}
