import { applyFunctions, ExpressionError, type ExpressionReader, type Operand } from './expression-reader.js';
import type { ForSegment, IdSource } from './mail-program.js';

/** How often a loop runs when it says nothing about it, and when it says most. */
const DEFAULT_ROUNDS = 20;
const MAX_ROUNDS = 100;

/** `p in` @throws ExpressionError */
export function readItemName(reader: ExpressionReader): string {
  const name = reader.readName();
  if (name === null || reader.take(/in(?![\p{L}\p{N}_])/uy) === null)
    throw new ExpressionError('The loop has no name for its items.', 'Write {% for p in Field name | products %}.');
  return name;
}

/** `Field | products limit: 4 reversed` @throws ExpressionError */
export function readFor(name: string, reader: ExpressionReader): { segment: ForSegment; source: IdSource | null } {
  const { head, calls } = reader.readFiltered();
  const last = calls.at(-1);
  const each = last?.name === 'products' ? 'product' : last?.name === 'recommendations' ? 'recommendation' : 'item';
  const source = each === 'item' ? null : idSource(head, calls.length);
  const count = each === 'recommendation' ? last?.args[0] : undefined;
  if (each === 'product' && last && last.args.length > 0)
    throw new ExpressionError('"products" takes no values.', 'Write a limit behind it: limit: 3.');
  const from = each === 'item' ? applyFunctions(head, calls) : head.code;
  const rounds = count ? readRounds(count.code) : DEFAULT_ROUNDS;
  const reversedFirst = readWord(reader, 'reversed');
  const limit = reader.take(/limit\s*:/y) === null ? rounds : readRounds(reader.readOperand(false).code);
  const reversed = reversedFirst || readWord(reader, 'reversed');
  const segment: ForSegment = { tag: 'for', name, from, each, limit: count ? Math.min(limit, rounds) : limit };
  return { segment: reversed ? { ...segment, reversed } : segment, source };
}

function readWord(reader: ExpressionReader, word: string): boolean {
  return reader.take(new RegExp(`${word}(?![\\p{L}\\p{N}_])`, 'uy')) !== null;
}

/** IDs are known before the first mail is made: they stand in a field, or in the template. */
function idSource(head: Operand, calls: number): IdSource {
  if (calls === 1 && head.field !== undefined) return { field: head.field };
  if (calls === 1 && head.text !== undefined) return { text: head.text };
  throw new ExpressionError(
    'The product IDs do not come straight from a field.',
    'Write {% for p in Field name | products %}, or an ID in quotation marks in place of the field.',
  );
}

/** A number that is written out, so that the links in the loop can be numbered. */
function readRounds(code: string): number {
  const rounds = /^\d+$/.test(code) ? Number(code) : 0;
  if (rounds < 1 || rounds > MAX_ROUNDS)
    throw new ExpressionError(`"${code}" is no number of rounds.`, `Write a number from 1 to ${MAX_ROUNDS}.`);
  return rounds;
}
