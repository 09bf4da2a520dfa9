/** Names that an inbox leaves alone. Each is told once, as long as it lies there. */
export class ForeignNames {
  readonly #seen = new Map<string, Set<string>>();

  /** @param names all that lie there now @returns those that were not there before */
  news(inbox: string, names: readonly string[]): string[] {
    const before = this.#seen.get(inbox);
    this.#seen.set(inbox, new Set(names));
    return names.filter((name) => !before?.has(name));
  }
}
