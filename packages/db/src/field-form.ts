import type { FieldType, ListField } from './recipient-list.js';

/** The form that a field's values have in a recipient file (spec 2). NULL, an unquoted empty field, is always well-formed. */
export interface FieldForm {
  /** For people. */
  form: string;
  /** As PostgreSQL (`~`) and JavaScript read it; undefined: any text. It shuts out what PostgreSQL would take besides: infinity, now, NaN, 0x1F. */
  pattern?: string;
  /** PostgreSQL's type whose bounds or calendar hold besides. */
  bounds?: string;
  /** What keeps pattern and bounds for sure, told without PostgreSQL: most values that do, not all. Undefined: any text. */
  sure?: string;
}

const WHOLE = '^-?[0-9]+$';
const DAY = '[0-9]{4}-[0-9]{2}-[0-9]{2}';
const TIME = '([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?';
const OFFSET = '(Z|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)';
const SURE_DAY = '[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])';
const BOOLEAN = '^([tT]([rR][uU][eE])?|[yY]([eE][sS])?|[oO][nN]|1|[fF]([aA][lL][sS][eE])?|[nN][oO]?|[oO][fF][fF]|0)$';

/** An empty string (`""`) is text, and well-formed as nothing else. */
export const fieldForms: Record<FieldType, FieldForm> = {
  varchar: { form: 'text of at most its length in characters (Unicode code points)' },
  text: { form: 'text' },
  bigint: {
    form: 'a whole number from -9223372036854775808 to 9223372036854775807, digits only',
    pattern: WHOLE,
    bounds: 'bigint',
    sure: '^-?[0-9]{1,18}$',
  },
  integer: {
    form: 'a whole number from -2147483648 to 2147483647, digits only',
    pattern: WHOLE,
    bounds: 'integer',
    sure: '^-?[0-9]{1,9}$',
  },
  decimal: {
    form: 'a number with a decimal point, such as -12.50: no exponent, no thousands separator',
    pattern: '^-?[0-9]+([.][0-9]+)?$',
    bounds: 'numeric',
    sure: '^-?[0-9]{1,18}([.][0-9]{1,18})?$',
  },
  boolean: {
    form: 'true, t, yes, y, on, 1, or false, f, no, n, off, 0, in upper or lower case',
    pattern: BOOLEAN,
    sure: BOOLEAN,
  },
  date: {
    form: 'a day of the calendar as YYYY-MM-DD, from year 0001 on',
    pattern: `^${DAY}$`,
    bounds: 'date',
    sure: `^${SURE_DAY}$`,
  },
  timestamp: {
    form: 'YYYY-MM-DD HH:MM, then seconds, then an offset such as +01:00 or Z if wanted; a blank or T before the time',
    pattern: `^${DAY}[T ]${TIME}${OFFSET}?$`,
    bounds: 'timestamptz',
    sure: `^${SURE_DAY}[T ]${TIME}${OFFSET}?$`,
  },
};

/** What the role send_at asks for instead. */
export const sendAtForm: FieldForm = {
  form: 'a timestamp with an offset, such as 2026-11-30T09:00+01:00',
  pattern: `^${DAY}[T ]${TIME}${OFFSET}$`,
  bounds: 'timestamptz',
  sure: `^${SURE_DAY}[T ]${TIME}${OFFSET}$`,
};

export const formOf = ({ role, type }: Pick<ListField, 'role' | 'type'>): FieldForm =>
  role === 'send_at' ? sendAtForm : fieldForms[type];
