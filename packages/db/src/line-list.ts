/** More lines than this are not remembered one by one. */
const MOST = 100_000;

/** Lines of a file that somebody has to look at again. */
export class LineList {
  #lines: number[] | undefined = [];

  add(line: number): void {
    if (!this.#lines) return;
    this.#lines.push(line);
    if (this.#lines.length > MOST) this.#lines = undefined;
  }

  /** Undefined: too many to name, it may be any. */
  get lines(): readonly number[] | undefined {
    return this.#lines;
  }
}
