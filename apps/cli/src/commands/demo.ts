import { type Command, Option } from 'commander';
import { type Context, leaf, run } from '../support/leaf.js';
import { wholeNumber } from '../support/list-options.js';

interface Options {
  once?: boolean;
  json?: boolean;
  recipients: string;
  dir?: string;
  queue: 'redis' | 'postgres' | 'auto';
}

export const queueOption = () =>
  new Option('--queue <backend>', 'where jobs wait; auto: Redis where there is one')
    .choices(['redis', 'postgres', 'auto'])
    .default('auto');

export function addDemoCommand(program: Command): void {
  leaf(program, 'demo', 'the whole loop on this machine in a minute: file in, mails out, responses back', {})
    .option('--once', 'end when everything has happened instead of staying up until Ctrl-C')
    .option('--recipients <number>', 'rows of the recipient file', '1000')
    .option('--dir <folder>', 'where data and logs go (default: a temporary folder, removed afterwards)')
    .addOption(queueOption())
    .action(run<Options>(demo));
}

async function demo({ options, out }: Context<Options>) {
  const { once = false, dir, queue } = options;
  // Other commands need no servers of their own.
  const { runDemo } = await import('../demo/demo.js');
  return runDemo({
    once,
    json: out.json,
    recipients: wholeNumber(options.recipients, '--recipients', 1, 10_000_000),
    queue,
    ...(dir === undefined ? {} : { dir }),
  });
}
