import type { Writable } from 'node:stream';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { NamedTexts } from './import-named.js';
import { LineList } from './line-list.js';
import { encodedColumns, RecipientEncoder } from './recipient-encoder.js';
import type { FieldRole, ListField } from './recipient-list.js';
import { LastValue, SureValues } from './sure-values.js';

export interface RowsOptions {
  fields: readonly ListField[];
  /** Where the rows of a BROADMAIL_ID go; undefined: the file cannot be accepted, and no further row of it is stored. */
  mailingOf(broadmailId: string | null): bigint | undefined;
  /** Told each address, trimmed: it lies in `bytes` from `start` to `end`. */
  onAddress?(bytes: Buffer, start: number, end: number, line: number): void;
}

/** Takes what RecipientRows makes. `rowCount` when it is finished. */
export type RecipientSink = Writable & { rowCount: number };

/** IDs and the status `queued` are the columns' defaults. */
export function copyRecipients(client: pg.PoolClient): RecipientSink {
  return client.query(copyFrom(`COPY mailing_recipient (${encodedColumns}) FROM STDIN (FORMAT binary)`));
}

/**
 * Makes rows of `mailing_recipient` of a file's records, in the order of lines: senders and exports read them in it. All are
 * `queued` for now; `judgeRecipients` says which are not. What it needs for that is noted: the lines that may have bad values.
 */
export class RecipientRows {
  readonly named: NamedTexts;
  readonly doubtful = new LineList();
  readonly #encoder: RecipientEncoder;
  readonly #sure: readonly SureValues[];
  readonly #wave: WaveColumn;
  readonly #email: number;
  readonly #onAddress: RowsOptions['onAddress'];
  #storing = true;

  constructor({ fields, mailingOf, onAddress }: RowsOptions) {
    const columnOf = (role: FieldRole) => fields.findIndex((field) => field.role === role);
    this.named = new NamedTexts(fields, mailingOf);
    this.#encoder = new RecipientEncoder(fields.length);
    this.#sure = fields.map((field) => new SureValues(field));
    this.#wave = new WaveColumn(columnOf('wave_id'));
    this.#email = columnOf('email');
    this.#onAddress = onAddress;
  }

  /** Takes a record as RecordScanner finds it. */
  add(record: Buffer, start: number, end: number, line: number): void {
    const row = this.#encoder;
    row.read(record, start, end);
    const mailingId = this.named.count(row, line);
    if (mailingId === undefined) this.#storing = false;
    if (!this.#storing || mailingId === undefined) return;
    if (!this.#isSure()) this.doubtful.add(line);
    this.#write(line, mailingId);
  }

  /** The next bytes for `copyRecipients`, when they are enough for a chunk. */
  take(): Buffer | undefined {
    return this.#encoder.take();
  }

  /** The last ones. */
  end(): Buffer {
    return this.#encoder.end();
  }

  #write(line: number, mailingId: bigint): void {
    const row = this.#encoder;
    const { bytes } = row;
    const end = row.ends[this.#email] ?? -1;
    const first = afterBlanks(bytes, row.starts[this.#email] ?? 0, end);
    const last = end < 0 ? -1 : beforeBlanks(bytes, first, end);
    if (last >= 0) this.#onAddress?.(bytes, first, last, line);
    row.write(line, mailingId, this.#wave.read(row), first, last);
  }

  #isSure(): boolean {
    const { bytes, starts, ends } = this.#encoder;
    for (let column = 0; column < starts.length; column += 1)
      if (!this.#sure[column]?.has(bytes, starts[column] ?? 0, ends[column] ?? -1)) return false;
    return true;
  }
}

const LARGEST = 2n ** 63n - 1n;

/** The wave as bigint; null for what is none. */
class WaveColumn {
  readonly #last = new LastValue();
  #value: bigint | null = null;

  constructor(private readonly column: number) {}

  read(row: RecipientEncoder): bigint | null {
    const start = row.starts[this.column] ?? 0;
    const end = row.ends[this.column] ?? -1;
    if (this.#last.is(row.bytes, start, end)) return this.#value;
    this.#last.set(row.bytes, start, end);
    this.#value = parseInt8(row.text(this.column));
    return this.#value;
  }
}

/** As PostgreSQL casts what `fieldForms.bigint` takes. */
function parseInt8(text: string | null): bigint | null {
  const [, sign, digits] = /^(-?)0*([0-9]{1,19})$/.exec(text ?? '') ?? [];
  if (digits === undefined) return null;
  const value = sign === '-' ? -BigInt(digits) : BigInt(digits);
  return value > LARGEST || value < -LARGEST - 1n ? null : value;
}

/** What spreadsheets leave around an address, as PostgreSQL trims it, too (import-checks.ts). */
const BLANKS = [' ', '\t', '\n', '\r', '\u00a0', '\ufeff'].map((blank) => Buffer.from(blank));

/** Nearly all addresses begin and end with one. */
const isLetter = (byte: number | undefined): boolean => byte !== undefined && byte > 0x20 && byte < 0x80;

function afterBlanks(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && !isLetter(bytes[at])) {
    const blank = BLANKS.find((one) => one.equals(bytes.subarray(at, Math.min(at + one.length, end))));
    if (!blank) break;
    at += blank.length;
  }
  return at;
}

function beforeBlanks(bytes: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && !isLetter(bytes[at - 1])) {
    const blank = BLANKS.find((one) => one.equals(bytes.subarray(Math.max(at - one.length, start), at)));
    if (!blank) break;
    at -= blank.length;
  }
  return at;
}
