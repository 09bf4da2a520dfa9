/**
 * Writes a number with the marks of a language, exactly: its digits are rounded half away from zero and never go through a
 * float.
 * @param value with a point or a comma before its decimals @param digits decimals; as many as there are when undefined
 * @returns null for what is no number
 */
export function formatNumber(value: string, digits: number | undefined, locale: string): string | null {
  const decimal = value.trim().replace(',', '.');
  if (!isDecimal(decimal)) return null;
  const decimals = digits ?? decimal.split('.')[1]?.length ?? 0;
  return formatter(locale, Math.min(decimals, MAX_DECIMALS)).format(decimal);
}

const MAX_DECIMALS = 20;

function isDecimal(text: string): text is Intl.StringNumericLiteral {
  return /^-?\d+(\.\d+)?$/.test(text);
}

const formatters = new Map<string, Intl.NumberFormat>();

function formatter(locale: string, digits: number): Intl.NumberFormat {
  const key = `${locale} ${digits}`;
  const known = formatters.get(key);
  if (known) return known;
  const made = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  formatters.set(key, made);
  return made;
}
