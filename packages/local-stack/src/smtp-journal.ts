import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface JournalEntry {
  /** `dot`: the whole message arrived. Then one of `accepted` (written before the 250), `refused`, `dropped`. */
  type: 'dot' | 'accepted' | 'refused' | 'dropped';
  /** ISO time. */
  at: string;
  /** With its angle brackets; null when the message has none, or did not get that far. */
  messageId: string | null;
  envelopeFrom: string;
  envelopeTo: string[];
  /** Bytes of the message, dot-stuffing undone. */
  size: number;
  /** Where the message stands in `messages.raw`; length 0 when it is not kept. */
  offset: number;
  length: number;
  /** The SMTP code answered; null when there was no answer. */
  code: number | null;
}

export interface Counts {
  dots: number;
  accepted: number;
  refused: number;
  dropped: number;
}

/**
 * Two append-only files: `journal.jsonl` and `messages.raw`. Every write is a finished system call before the method
 * returns, so that a kill -9 of either side loses nothing that was answered (a power cut might). Opening the directory
 * again goes on counting; a half-written last line is cut off.
 */
export class Journal {
  readonly counts: Counts = { dots: 0, accepted: 0, refused: 0, dropped: 0 };
  readonly accepted = new Map<string, number>();
  readonly #journal: number;
  readonly #raw: number;
  readonly #journalFile: string;
  #rawEnd: number;

  constructor(dir: string) {
    mkdirSync(dir, { recursive: true });
    this.#journalFile = join(dir, 'journal.jsonl');
    this.#journal = openSync(this.#journalFile, 'a+');
    this.#raw = openSync(join(dir, 'messages.raw'), 'a+');
    this.#rawEnd = fstatSync(this.#raw).size;
    ftruncateSync(this.#journal, wholeLines(readFileSync(this.#journalFile)));
    for (const entry of this.read()) this.#count(entry);
  }

  read(): JournalEntry[] {
    const lines = readFileSync(this.#journalFile, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line): JournalEntry => JSON.parse(line));
  }

  /** Keeps a message; what comes back belongs into its entries. */
  keep(message: Buffer): { offset: number; length: number } {
    const offset = this.#rawEnd;
    writeAll(this.#raw, message);
    this.#rawEnd += message.length;
    return { offset, length: message.length };
  }

  add(entry: JournalEntry): void {
    writeAll(this.#journal, Buffer.from(`${JSON.stringify(entry)}\n`));
    this.#count(entry);
  }

  raw(entry: JournalEntry): Buffer {
    const bytes = Buffer.alloc(entry.length);
    readSync(this.#raw, bytes, 0, entry.length, entry.offset);
    return bytes;
  }

  close(): void {
    closeSync(this.#journal);
    closeSync(this.#raw);
  }

  #count(entry: JournalEntry): void {
    if (entry.type === 'dot') this.counts.dots += 1;
    else this.counts[entry.type] += 1;
    if (entry.type !== 'accepted') return;
    const id = entry.messageId ?? '';
    this.accepted.set(id, (this.accepted.get(id) ?? 0) + 1);
  }
}

function wholeLines(bytes: Buffer): number {
  return bytes.lastIndexOf(0x0a) + 1;
}

function writeAll(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}
