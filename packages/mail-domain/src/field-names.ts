import { closeNames } from './close-names.js';

const MAX_LISTED = 20;

/** The names that an author may write, and the fields that they mean. */
export class FieldNames {
  private readonly written: string[];
  /** The longest names first, each with a pattern that finds it as a whole word, in any case and with any white space. */
  private readonly patterns: { field: number; pattern: RegExp }[];

  constructor(
    private readonly names: readonly string[],
    private readonly special: readonly string[],
  ) {
    this.written = names.map(squeeze);
    this.patterns = this.written
      .map((name, field) => ({ field, name }))
      .filter(({ name }) => name !== '')
      .toSorted((a, b) => b.name.length - a.name.length)
      .map(({ field, name }) => ({ field, pattern: patternOf(name) }));
  }

  /** The exact name comes first, for lists whose fields differ by case only. */
  find(name: string): number | null {
    const wanted = squeeze(name);
    const exact = this.written.indexOf(wanted);
    if (exact >= 0) return exact;
    const alike = this.written.findIndex((one) => one.toLowerCase() === wanted.toLowerCase());
    return alike >= 0 ? alike : null;
  }

  /** The longest name that stands at this place of an expression. */
  findAt(text: string, at: number): { field: number; end: number } | null {
    for (const { pattern } of this.patterns) {
      pattern.lastIndex = at;
      const found = pattern.exec(text)?.[0];
      const field = found === undefined ? null : this.find(found);
      if (found !== undefined && field !== null) return { field, end: at + found.length };
    }
    return null;
  }

  /** What an author may have meant who wrote a name that is not there. */
  remedyFor(name: string): string {
    const known = [...this.names, ...this.special];
    const close = closeNames(name, known).map((field) => `{{ ${field} }}`);
    if (close.length > 0) return `Did you mean ${close.join(' or ')}?`;
    const listed = known.slice(0, MAX_LISTED).join(', ');
    return `Use one of: ${listed}${known.length > MAX_LISTED ? ', …' : ''}.`;
  }
}

const squeeze = (name: string): string => name.trim().replace(/\s+/g, ' ');

function patternOf(name: string): RegExp {
  const escaped = name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&').replaceAll(' ', '\\s+');
  return new RegExp(`${escaped}(?![\\p{L}\\p{N}_])`, 'iuy');
}
