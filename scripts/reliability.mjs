// `npm run soak -- --report`: writes the tables of docs/RELIABILITY.md from what the last runs counted: the fault tests
// (tests/support/record-count.ts), the sweep and the soak.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const counted = join(root, 'node_modules', '.postloop');
const target = join(root, 'docs', 'RELIABILITY.md');

const faults = readFolder(join(counted, 'faults'));
if (faults.length === 0) {
  console.error('No fault test has counted anything yet: run `npm test -- tests/faults` first.');
  process.exit(1);
}
const columns = ['rows', 'received', 'missing', 'twice', 'unknown'];
const tables = {
  faults: table(
    ['scenario', 'test', ...columns],
    faults.map((one) => [one.scenario, `\`${one.file}\``, ...columns.map((name) => one[name])]),
  ),
  sweep: ofRun('sweep'),
  soak: ofRun('soak'),
};

let text = readFileSync(target, 'utf8');
for (const [name, lines] of Object.entries(tables)) if (lines) text = replaceBetween(text, name, lines);
writeFileSync(target, text);
console.log(`${faults.length} scenarios written to docs/RELIABILITY.md`);

function readFolder(folder) {
  if (!existsSync(folder)) return [];
  const read = (name) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const order = (one) => `${one.file} ${one.scenario}`;
  return readdirSync(folder)
    .map(read)
    .sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** One run, as one row; undefined when it was not made. */
function ofRun(name) {
  const file = join(counted, `${name}.json`);
  if (!existsSync(file)) return undefined;
  const result = JSON.parse(readFileSync(file, 'utf8'));
  return table(Object.keys(result), [Object.values(result)]);
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function replaceBetween(text, name, lines) {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to === -1) throw new Error(`docs/RELIABILITY.md has no place for ${name}`);
  return `${text.slice(0, from + begin.length)}\n\n${lines}\n\n${text.slice(to)}`;
}
