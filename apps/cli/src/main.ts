#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { runDemo } from './demo/demo.js';

const USAGE = 'usage: npm run demo [-- --once] [--json] [--recipients N] [--queue redis|postgres] [--dir FOLDER]\n';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    once: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    recipients: { type: 'string', default: '1000' },
    queue: { type: 'string', default: 'auto' },
    dir: { type: 'string' },
  },
});
const recipients = Number(values.recipients);
const queue = (['auto', 'redis', 'postgres'] as const).find((name) => name === values.queue);
if (positionals[0] !== 'demo' || !Number.isInteger(recipients) || recipients < 1 || !queue) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  process.exitCode = await runDemo({
    once: values.once,
    json: values.json,
    recipients,
    queue,
    ...(values.dir === undefined ? {} : { dir: values.dir }),
  });
}
