import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnCli } from './cli.js';
import { until } from './until.js';

/** What a person types in a folder and sees: stdout and stderr as they come, as on a terminal. */
export class Transcript implements AsyncDisposable {
  readonly #parts: string[] = [];
  readonly #stops: (() => Promise<unknown>)[] = [];

  constructor(readonly folder: string) {}

  /** The text so far. */
  get text(): string {
    return this.#parts.join('\n');
  }

  /** Runs a command to its end. @returns what it printed. Throws unless it succeeds. */
  async run(...args: readonly string[]): Promise<string> {
    const { child, printed } = this.#spawn(args);
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${printed()}`);
    this.#parts.push(`$ postloop ${args.join(' ')}\n${printed()}`);
    return printed();
  }

  /** Starts a command that stays, and waits until it has printed its last line before that. Disposal stops it. */
  async start(args: readonly string[], lastLine: RegExp): Promise<void> {
    const { child, printed } = this.#spawn(args);
    const closed = once(child, 'close');
    this.#stops.push(() => {
      child.kill('SIGINT');
      return closed;
    });
    await until(`${args.join(' ')} is up`, async () => {
      if (child.exitCode !== null) throw new Error(`${args.join(' ')} ended:\n${printed()}`);
      return lastLine.test(printed()) || undefined;
    });
    this.#parts.push(`$ postloop ${args.join(' ')}\n${printed()}`);
  }

  /** Shows a file. */
  show(file: string): void {
    this.#parts.push(`$ cat ${file}\n${readFileSync(join(this.folder, file), 'utf8')}`);
  }

  #spawn(args: readonly string[]) {
    const file = join(this.folder, `printed-${this.#parts.length}.txt`);
    const child = spawnCli(args, {}, this.folder, openSync(file, 'a'));
    return { child, printed: () => readFileSync(file, 'utf8') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#stops.map((stop) => stop()));
  }
}

/** The transcript with one value for all that differs from run to run: the same text every time. */
export function withoutChance(text: string, folder: string): string {
  return [
    replaceEach(/(?<=127\.0\.0\.1:|sftp -P )\d+/g, (n) => String(40_000 + n)),
    // Every ID is a multiple of 1000, and nothing else in a transcript is.
    replaceEach(/\b[1-9]\d*000\b/g, (n) => String(10_000 + 1_000 * n)),
  ].reduce(
    (done, replace) => replace(done),
    text
      .replaceAll(folder, '/home/ada/shop')
      .replace(/^ *\d+\.\d s /gm, '     … s ')
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '2026-11-21 08:00:00')
      .replace(/\b\d{8}_(?=\w+\.csv)/g, '20261121_')
      .replace(/(?<=\.csv +\d+ +)\d+$/gm, (bytes) => '…'.padStart(bytes.length))
      .replace(/(?<=\()\d+(?= bytes\))/g, '…')
      .replace(/(?<=applied )\d+/, '…')
      .replace(/(?<=password )\S+|(?<=:\/\/\w+:)[^@\s]+(?=@)|(?<=SHA256:)\S+/g, '…')
      .replace('(queue: PostgreSQL)', '(queue: Redis)')
      .replace(/^queue +in PostgreSQL$/m, 'queue             redis://127.0.0.1:40000'),
  );
}

/** Columns may be wider or narrower from run to run. */
export const withoutWidths = (text: string): string => text.replace(/ {2,}/g, '  ');

/** Replaces each different match by a value of its own, in their order. */
function replaceEach(pattern: RegExp, standIn: (ordinal: number) => string): (text: string) => string {
  const values = new Map<string, string>();
  return (text) =>
    text.replace(pattern, (match) => {
      const value = values.get(match) ?? standIn(values.size + 1);
      values.set(match, value);
      return value;
    });
}
