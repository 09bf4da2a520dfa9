const SEMICOLON = 0x3b;
const QUOTE = 0x22;
const TEXT_OID = 25;
/** So many bytes are handed on together, about. */
const CHUNK = 128 * 1024;
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** In front of a row's values: number of columns, length of `fields`, header of the array. */
const HEAD = 2 + 4 + 20;
/** Besides its values: the head, the lengths of four columns, line, mailing and wave. */
const ROOM = HEAD + 4 * 4 + 3 * 8;

/** The columns in the order in which a row is written. */
export const encodedColumns = 'fields, line, mailing_id, wave_id, email';
const COLUMNS = 5;

/**
 * Writes records of the files' dialect as rows for COPY in its binary format (PostgreSQL's manual, COPY; arrays: array_recv):
 * values are copied once, and it costs PostgreSQL two thirds of CSV. A record is `read` first; what it holds then lies in
 * `bytes`, from `starts[column]` to `ends[column]`, which is -1 for NULL. `write` makes a row of it.
 */
export class RecipientEncoder {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  #out: Buffer = Buffer.allocUnsafe(CHUNK * 2);
  #view = viewOf(this.#out);
  #used = SIGNATURE.copy(this.#out);
  /** Where the values of the record that was read end. */
  #read = 0;

  constructor(columns: number) {
    this.starts = new Int32Array(columns);
    this.ends = new Int32Array(columns);
  }

  /** Until the next `read` or `take`. */
  get bytes(): Buffer {
    return this.#out;
  }

  /** A value of the record that was read. */
  text(column: number): string | null {
    const end = this.ends[column] ?? -1;
    return end < 0 ? null : this.#out.toString('utf8', this.starts[column], end);
  }

  /** @param bytes a well-formed record lies in them from `start` to `end`; columns that it lacks are NULL */
  read(bytes: Buffer, start: number, end: number): void {
    const columns = this.starts.length;
    // The address is written twice.
    this.#makeRoom(ROOM + columns * 4 + (end - start) * 2);
    const out = this.#out;
    let to = this.#used + HEAD;
    let at = start;
    for (let column = 0; column < columns; column += 1) {
      const from = to + 4;
      to = from;
      const isQuoted = at < end && bytes[at] === QUOTE;
      if (isQuoted) {
        for (at += 1; at < end; at += 1) {
          const byte = bytes[at] ?? 0;
          if (byte === QUOTE) {
            // The first of two stands for one; a single one ends the value.
            at += 1;
            if (bytes[at] !== QUOTE) break;
          }
          out[to] = byte;
          to += 1;
        }
      } else {
        for (; at < end; at += 1) {
          const byte = bytes[at] ?? 0;
          if (byte === SEMICOLON) break;
          out[to] = byte;
          to += 1;
        }
      }
      at += 1;
      const isNull = to === from && !isQuoted;
      this.#view.setInt32(from - 4, isNull ? -1 : to - from);
      this.starts[column] = from;
      this.ends[column] = isNull ? -1 : to;
    }
    this.#read = to;
  }

  /** Makes a row of the record that was read. Its address lies in `bytes` from `start` to `end`, which is -1 for NULL. */
  write(line: number, mailingId: bigint, waveId: bigint | null, start: number, end: number): void {
    const view = this.#view;
    const row = this.#used;
    view.setInt16(row, COLUMNS);
    view.setInt32(row + 2, this.#read - row - 6);
    // One dimension of so many texts, counted from 1.
    view.setInt32(row + 6, 1);
    view.setInt32(row + 10, 0);
    view.setInt32(row + 14, TEXT_OID);
    view.setInt32(row + 18, this.starts.length);
    view.setInt32(row + 22, 1);
    let to = this.#read;
    view.setInt32(to, 8);
    view.setInt32(to + 4, Math.floor(line / 2 ** 32));
    view.setUint32(to + 8, line);
    to = this.#putInt8(to + 12, mailingId);
    to = waveId === null ? this.#putNull(to) : this.#putInt8(to, waveId);
    this.#used = end < 0 ? this.#putNull(to) : this.#putAgain(to, start, end);
  }

  /** What was written, when it is enough for a chunk. */
  take(): Buffer | undefined {
    return this.#used < CHUNK ? undefined : this.#takeAll();
  }

  /** The rest, and that nothing follows. */
  end(): Buffer {
    this.#makeRoom(2);
    this.#view.setInt16(this.#used, -1);
    this.#used += 2;
    return this.#takeAll();
  }

  #takeAll(): Buffer {
    const taken = this.#out.subarray(0, this.#used);
    this.#replace(Buffer.allocUnsafe(CHUNK * 2));
    this.#used = 0;
    return taken;
  }

  #makeRoom(bytes: number): void {
    if (this.#used + bytes <= this.#out.length) return;
    const larger = Buffer.allocUnsafe((this.#used + bytes) * 2);
    this.#out.copy(larger, 0, 0, this.#used);
    this.#replace(larger);
  }

  #replace(out: Buffer): void {
    this.#out = out;
    this.#view = viewOf(out);
  }

  #putInt8(at: number, value: bigint): number {
    this.#view.setInt32(at, 8);
    this.#view.setBigInt64(at + 4, value);
    return at + 12;
  }

  #putNull(at: number): number {
    this.#view.setInt32(at, -1);
    return at + 4;
  }

  #putAgain(at: number, start: number, end: number): number {
    this.#view.setInt32(at, end - start);
    const out = this.#out;
    let to = at + 4;
    // By hand: for so few bytes a call costs more.
    for (let from = start; from < end; from += 1, to += 1) out[to] = out[from] ?? 0;
    return to;
  }
}

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
