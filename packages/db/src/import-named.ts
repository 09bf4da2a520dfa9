import { sendAtForm } from './field-form.js';
import { sendAtOf } from './import-checks.js';
import type { RecipientEncoder } from './recipient-encoder.js';
import type { ListField } from './recipient-list.js';
import { type Sql, select } from './sql.js';
import { LastValue } from './sure-values.js';

/** What rows name: a BROADMAIL_ID and a SEND_AT as the file has them. Of times that are none, one stands for all. */
export interface NamedText {
  broadmailId: string | null;
  sendAt: string | null;
  /** The first line that has them. */
  line: number;
  rows: number;
}

/** So many are told apart: ten times what a file may name. */
const MOST_TEXTS = 10_000;

const SEND_AT = new RegExp(sendAtForm.pattern ?? '');

/** Counts what the rows of a file name, and says which mailing each goes to. */
export class NamedTexts {
  /** There are more than can be told apart. */
  tooMany = false;
  readonly #mailingOf: (broadmailId: string | null) => bigint | undefined;
  readonly #broadmailId: number;
  readonly #sendAt: number;
  readonly #lastId = new LastValue();
  readonly #lastTime = new LastValue();
  readonly #found = new Map<string, { text: NamedText; mailingId: bigint | undefined }>();
  #current: { text: NamedText; mailingId: bigint | undefined } | undefined;

  /** @param mailingOf undefined: none */
  constructor(fields: readonly ListField[], mailingOf: (broadmailId: string | null) => bigint | undefined) {
    this.#mailingOf = mailingOf;
    this.#broadmailId = fields.findIndex(({ role }) => role === 'broadmail_id');
    this.#sendAt = fields.findIndex(({ role }) => role === 'send_at');
  }

  get texts(): NamedText[] {
    return [...this.#found.values()].map(({ text }) => text);
  }

  /** Counts the row that was read. @returns the mailing that it goes to */
  count(row: RecipientEncoder, line: number): bigint | undefined {
    if (!this.#isAsBefore(row)) this.#current = this.#find(row, line);
    if (!this.#current) return undefined;
    this.#current.text.rows += 1;
    return this.#current.mailingId;
  }

  #isAsBefore({ bytes, starts, ends }: RecipientEncoder): boolean {
    const id = starts[this.#broadmailId] ?? 0;
    const idEnd = ends[this.#broadmailId] ?? -1;
    const time = starts[this.#sendAt] ?? 0;
    const timeEnd = ends[this.#sendAt] ?? -1;
    if (this.#lastId.is(bytes, id, idEnd) && this.#lastTime.is(bytes, time, timeEnd)) return true;
    this.#lastId.set(bytes, id, idEnd);
    this.#lastTime.set(bytes, time, timeEnd);
    return false;
  }

  #find(row: RecipientEncoder, line: number): { text: NamedText; mailingId: bigint | undefined } | undefined {
    const broadmailId = row.text(this.#broadmailId);
    const time = row.text(this.#sendAt);
    const sendAt = time === null || SEND_AT.test(time) ? time : NO_TIME;
    const key = JSON.stringify([broadmailId, sendAt]);
    const known = this.#found.get(key);
    if (known) return known;
    if (this.#found.size === MOST_TEXTS) {
      this.tooMany = true;
      return undefined;
    }
    const found = { text: { broadmailId, sendAt, line, rows: 0 }, mailingId: this.#mailingOf(broadmailId) };
    this.#found.set(key, found);
    return found;
  }
}

const NO_TIME = 'no time';

export interface NamedSourceMailing {
  /** BROADMAIL_ID as the file has it. */
  broadmailId: string | null;
  /** SEND_AT; null when it is empty, or no field of the list. */
  sendAt: Date | null;
  /** It is no time: the rows are bad, and say nothing of when. */
  sendAtBad: boolean;
  /** The first line that names them. */
  line: bigint;
  rows: bigint;
}

/** So many BROADMAIL_IDs, or times for one of them, may stand in a file. */
export const mostNamed = 1_000;

/** The source mailings that a file names, with the times they are to be sent at; at most one more than `mostNamed`. */
export function selectNamedSourceMailings(sql: Sql, texts: readonly NamedText[]): Promise<NamedSourceMailing[]> {
  const { sendAt, isSendAtBad } = sendAtOf('send_at');
  return select(
    sql,
    `SELECT broadmail_id AS "broadmailId", ${sendAt} AS "sendAt", ${isSendAtBad} AS "sendAtBad", min(line) AS line, sum(rows)::bigint AS rows
       FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS named (broadmail_id, send_at, line, rows)
      GROUP BY 1, 2, 3 ORDER BY 4 LIMIT ${mostNamed + 1}`,
    [
      texts.map(({ broadmailId }) => broadmailId),
      texts.map((text) => text.sendAt),
      texts.map(({ line }) => line),
      texts.map(({ rows }) => rows),
    ],
  );
}
