/** A row's values: `null` where the field is empty and unquoted, `''` where it is `""`. */
export type Row = (string | null)[];

/** Reads a record's values. The record is well-formed: RecordScanner found it. */
export function decodeRecord(bytes: Buffer, start = 0, end = bytes.length): Row {
  const text = bytes.toString('utf8', start, end);
  const row: Row = [];
  let at = 0;
  while (at <= text.length) {
    if (text[at] === '"') {
      const close = closingQuote(text, at + 1);
      row.push(text.slice(at + 1, close).replaceAll('""', '"'));
      at = close + 2;
    } else {
      const next = text.indexOf(';', at);
      const stop = next === -1 ? text.length : next;
      row.push(stop === at ? null : text.slice(at, stop));
      at = stop + 1;
    }
  }
  return row;
}

function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from);
  while (text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}

/** Writes one record with its LF: `"` only where needed, NULL as nothing, an empty string as `""`. */
export function formatRow(row: readonly (string | null)[]): string {
  return formatRowAs(row, { delimiter: ';', quotes: 'needed' });
}

/** What a file may have other than the dialect: `always` quotes every value, the empty string too, but not NULL. */
export interface RowFormat {
  delimiter: string;
  quotes: 'needed' | 'always';
}

/** As formatRow, in another format: the bytes that PostgreSQL's COPY makes with the same delimiter and quotes. */
export function formatRowAs(row: readonly (string | null)[], { delimiter, quotes }: RowFormat): string {
  const isPlain = (value: string) =>
    quotes === 'needed' && value !== '' && !value.includes(delimiter) && !/["\n\r]/.test(value);
  const format = (value: string | null) => {
    if (value === null) return '';
    return isPlain(value) ? value : `"${value.replaceAll('"', '""')}"`;
  };
  return `${row.map(format).join(delimiter)}\n`;
}
