import { bounceCorpus } from './bounce-corpus.js';
import { exportFiles } from './export.js';
import { importMemory } from './import-memory.js';
import { userAgents } from './user-agents.js';

/** A figure: prints what it found; the last line of stdout is JSON. */
type Bench = (args: readonly string[]) => Promise<void>;

const BENCHES: Readonly<Record<string, Bench>> = {
  'bounce-corpus': bounceCorpus,
  export: exportFiles,
  'import-memory': importMemory,
  'user-agents': userAgents,
};

const [name = '', ...args] = process.argv.slice(2);
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (bench === undefined) {
  process.stderr.write(`bench NAME ARGS; names: ${Object.keys(BENCHES).join(', ')}\n`);
  process.exitCode = 2;
} else await bench(args);
