import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LinkTarget } from '@postloop/db';

/** A link as the file keeps it; `t` says when it was learned, in milliseconds. */
interface Line extends Omit<LinkTarget, 'mailingId'> {
  t: number;
  mailingId: string;
}

/**
 * What the gateway knows of links, on its own disk: one that starts while the database is away redirects all the same. Only
 * a copy of the table `link`: a line that cannot be read is left out, a file that is lost is written anew.
 */
export class LinkFile {
  readonly #path: string;
  #written: Promise<void> = Promise.resolve();

  constructor(directory: string) {
    this.#path = join(directory, 'links.jsonl');
  }

  /** The links learned since `afterMs`; older ones are dropped from the file. */
  load(afterMs: number): { target: LinkTarget; learnedAtMs: number }[] {
    if (!existsSync(this.#path)) return [];
    const lines = readFileSync(this.#path, 'utf8').split('\n').flatMap(parseLine);
    const kept = lines.filter(({ t }) => t >= afterMs);
    writeFileSync(`${this.#path}.new`, kept.map(formatLine).join(''), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
    return kept.map(({ t, mailingId, ...link }) => ({
      target: { ...link, mailingId: BigInt(mailingId) },
      learnedAtMs: t,
    }));
  }

  /** Adds links, in the background and in order. Rejections are the caller's to log. */
  append(targets: readonly LinkTarget[], nowMs: number): Promise<void> {
    const lines = targets.map((target) => formatLine({ ...target, t: nowMs, mailingId: target.mailingId.toString() }));
    this.#written = this.#written
      .catch(() => undefined)
      .then(() => appendFile(this.#path, lines.join(''), { mode: 0o600 }));
    return this.#written;
  }

  /** Resolves when everything appended is written, whether that went well or not. */
  settled(): Promise<void> {
    return this.#written.catch(() => undefined);
  }
}

const formatLine = (line: Line): string => `${JSON.stringify(line)}\n`;

function parseLine(text: string): Line[] {
  try {
    const line = JSON.parse(text) as Line;
    return /^\d+$/.test(line.mailingId) && Number.isInteger(line.ordinal) && typeof line.url === 'string' ? [line] : [];
  } catch {
    return []; // cut off by a crash
  }
}
