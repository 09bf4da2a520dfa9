const LF = 0x0a;
const QUOTE = 0x22;
/** Bytes of a row that are told. */
const MOST = 2_000;

/**
 * Reads some rows of a file again, by the physical lines at which they begin (from 1): as they came, whatever is wrong with
 * them. A row goes on over line breaks as long as a quotation mark is open. What is no UTF-8 comes as U+FFFD.
 */
export async function readRawRows(
  source: AsyncIterable<Buffer>,
  lines: ReadonlySet<number>,
): Promise<Map<number, string>> {
  const rows = new Map<number, string>();
  const last = Math.max(...lines);
  let number = 1;
  let row = lines.has(number) ? new RawRow(number) : undefined;
  const close = () => {
    if (row) rows.set(row.line, row.text());
    row = undefined;
  };
  for await (const chunk of source) {
    for (let start = 0; start < chunk.length; ) {
      const found = chunk.indexOf(LF, start);
      const end = found === -1 ? chunk.length : found;
      row?.add(chunk.subarray(start, end));
      start = end + 1;
      if (found === -1) break;
      number += 1;
      if (row?.isOpen && !lines.has(number)) row.add(chunk.subarray(found, found + 1));
      else close();
      if (lines.has(number)) row = new RawRow(number);
      if (!row && number > last) return rows;
    }
  }
  close();
  return rows;
}

class RawRow {
  readonly #pieces: Buffer[] = [];
  #length = 0;
  #quotes = 0;

  constructor(readonly line: number) {}

  add(piece: Buffer): void {
    const kept = piece.subarray(0, MOST + 1 - this.#length);
    this.#pieces.push(kept);
    this.#length += kept.length;
    for (const byte of kept) if (byte === QUOTE) this.#quotes += 1;
  }

  get isOpen(): boolean {
    return this.#quotes % 2 === 1 && this.#length <= MOST;
  }

  text(): string {
    const text = Buffer.concat(this.#pieces).subarray(0, MOST).toString('utf8');
    const whole = text.replace(/^\ufeff/, '').replace(/[\r\n]+$/, '');
    return this.#length > MOST ? `${whole}…` : whole;
  }
}
