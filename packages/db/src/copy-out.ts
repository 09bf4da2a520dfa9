import { Readable } from 'node:stream';
import type pg from 'pg';
import { RowMessages } from './row-messages.js';

/**
 * What `COPY … TO STDOUT` gives, in pieces as they come from the socket and only as fast as they are read. pg-copy-streams makes
 * an object of each row and copies all of them.
 */
export class CopyOut extends Readable implements pg.Submittable {
  /** Known at the end. */
  rowCount = 0;
  readonly #text: string;
  readonly #messages = new RowMessages();
  #socket: pg.Connection['stream'] | undefined;
  #detach: ((rest: Buffer) => void) | undefined;
  /** Asked for, maybe before pg has sent the statement. */
  #wanted = false;

  constructor(text: string) {
    // Pieces are passed on as they are: a stream of bytes would copy them into one.
    super({ objectMode: true, highWaterMark: 2 });
    this.#text = text;
  }

  /** Called by pg. Takes the place of its parser until the rows are over. */
  submit(connection: pg.Connection): void {
    const socket = connection.stream;
    const [parse] = socket.listeners('data') as ((chunk: Buffer) => void)[];
    if (!parse) throw new Error('pg does not listen to its socket');
    const onChunk = (chunk: Buffer) => this.#onChunk(chunk);
    this.#detach = (rest) => {
      this.#socket = undefined;
      socket.off('data', onChunk).on('data', parse);
      parse(rest);
      socket.resume();
    };
    socket.pause().off('data', parse).on('data', onChunk);
    connection.query(this.#text);
    this.#socket = socket;
    if (this.#wanted) socket.resume();
  }

  override _read(): void {
    this.#wanted = true;
    this.#socket?.resume();
  }

  #onChunk(chunk: Buffer): void {
    const { rows, rest } = this.#messages.take(chunk);
    if (rows.length > 0 && !this.push(rows)) {
      this.#wanted = false;
      this.#socket?.pause();
    }
    if (rest) this.#detach?.(rest);
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.rowCount = Number(/^COPY (\d+)$/.exec(text)?.[1] ?? 0);
    this.push(null);
  }

  handleReadyForQuery(): void {}

  handleError(error: Error): void {
    this.destroy(error);
  }
}
