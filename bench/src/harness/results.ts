import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shown } from './statistics.js';

/** The last line that a figure prints. */
export interface FigureResult {
  name: string;
  /** Median, in `unit`. */
  rate: number;
  reference: number;
  ratio: number;
  unit: string;
  processes: number;
  peakRssMb: Readonly<Record<string, number>>;
  /** Of a figure that is the worst of several. */
  parts?: Readonly<Record<string, { rate: number; reference: number; ratio: number }>>;
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const DOCUMENT = join(root, 'docs', 'PERFORMANCE.md');
const [START, END] = ['<!-- figures -->', '<!-- /figures -->'];

/** Where programs and results of benches lie. */
export const benchFolder = join(root, 'node_modules', '.postloop', 'bench');

/** Keeps a result for other programs (`NAME.json`) and replaces its row in docs/PERFORMANCE.md. */
export function keepResult(result: FigureResult & { reach: string }): void {
  mkdirSync(benchFolder, { recursive: true });
  writeFileSync(join(benchFolder, `${result.name}.json`), `${JSON.stringify(result)}\n`);
  if (existsSync(DOCUMENT)) writeFileSync(DOCUMENT, withRow(readFileSync(DOCUMENT, 'utf8'), result));
}

/** @throws Error when the document has no table of figures */
export function withRow(text: string, result: FigureResult & { reach: string }): string {
  const [before, rest] = halves(text, START);
  const [table, after] = halves(rest, END);
  const [, head = '', rule = '', ...rows] = table.split('\n');
  const row = rowOf(result);
  const at = rows.findIndex((line) => line.startsWith(`| \`${result.name}\``));
  const others = rows.filter((line) => line.startsWith('|'));
  const kept = at < 0 ? [...others, row] : others.map((line) => (line.startsWith(`| \`${result.name}\``) ? row : line));
  return `${before}${START}\n${[head, rule, ...kept].join('\n')}\n${END}${after}`;
}

function rowOf({
  name,
  rate,
  reference,
  ratio,
  unit,
  processes,
  peakRssMb,
  reach,
}: FigureResult & { reach: string }): string {
  const peaks = Object.entries(peakRssMb).map(([process, megabytes]) => `${process} ${megabytes}`);
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
  const day = new Date().toISOString().slice(0, 10);
  const cells = [
    `\`${name}\``,
    shown(rate),
    shown(reference),
    unit,
    `**${ratio}**`,
    reach,
    processes,
    peaks.join(', '),
    `${day}, ${machine}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function halves(text: string, marker: string): [string, string] {
  const at = text.indexOf(marker);
  if (at < 0) throw new Error(`docs/PERFORMANCE.md has no line ${marker}`);
  return [text.slice(0, at), text.slice(at + marker.length)];
}
