import { describeError } from '@postloop/contracts';
import { bounceCorpus } from './bounce-corpus.js';
import { exportFiles } from './export.js';
import { gateway } from './gateway.js';
import { importRows } from './import.js';
import { loop } from './loop.js';
import { memory } from './memory.js';
import { send } from './send.js';
import { sendCpu } from './send-cpu.js';
import { sendDkim } from './send-dkim.js';
import { sendMany } from './send-many.js';
import { simulate } from './simulate.js';
import { userAgents } from './user-agents.js';

/** A figure: prints what it found; the last line of stdout is JSON. */
type Bench = (args: readonly string[]) => Promise<void>;

/** Those that `npm run bench` without a name runs: against a reference each, in docs/PERFORMANCE.md. */
const FIGURES: Readonly<Record<string, Bench>> = {
  import: importRows,
  send,
  loop,
  'send-cpu': sendCpu,
  'send-dkim': sendDkim,
  'send-many': sendMany,
  export: exportFiles,
  gateway,
  memory,
};

const OTHERS: Readonly<Record<string, Bench>> = {
  'bounce-corpus': bounceCorpus,
  simulate,
  'user-agents': userAgents,
};

const BENCHES = { ...FIGURES, ...OTHERS };
const [name, ...args] = process.argv.slice(2);
if (name === undefined || name.startsWith('-')) await runAll(process.argv.slice(2));
else if (Object.hasOwn(BENCHES, name)) await BENCHES[name]?.(args);
else {
  process.stderr.write(`bench [NAME] ARGS; names: ${Object.keys(BENCHES).join(', ')}\n`);
  process.exitCode = 2;
}

/** One that cannot run says why, and the others go on. */
async function runAll(all: readonly string[]): Promise<void> {
  for (const [figure, bench] of Object.entries(FIGURES)) {
    try {
      await bench(all);
    } catch (error) {
      process.exitCode = 1;
      process.stderr.write(`${figure}: ${describeError(error)}\n`);
    }
  }
}
