import type { Command } from 'commander';
import type { RunningStack } from '../local/up.js';
import { facts } from '../support/format.js';
import { type Context, leaf, run } from '../support/leaf.js';
import { createProgress } from '../support/progress.js';
import { stopSignal } from '../support/stop-signal.js';
import { queueOption } from './demo.js';

interface Options {
  dir?: string;
  queue: 'redis' | 'postgres' | 'auto';
}

export function addUpCommand(program: Command): void {
  leaf(program, 'up', 'everything on this machine, with its data kept between starts, until Ctrl-C', {})
    .option('--dir <folder>', 'where data and the env file for other commands go', '.postloop')
    .addOption(queueOption())
    .action(run<Options>(up));
}

async function up({ options, out }: Context<Options>) {
  const stopped = stopSignal();
  const { step } = createProgress();
  const { startUp } = await import('../local/up.js');
  // Ctrl-C while it starts: it comes up, then goes down in order. A second one ends it at once.
  const running = await startUp({ ...options, step });
  out.result(addresses(running), describe(running));
  await stopped;
  step('stopping');
  await running[Symbol.asyncDispose]();
  step(`stopped; the data is kept in ${running.place.data}`);
  return 0;
}

function addresses({ place, stack, house, envFile }: RunningStack) {
  return {
    status: 'up',
    pid: process.pid,
    folder: place.folder,
    data: place.data,
    env: envFile,
    gateway: house.publicUrl,
    queue: stack.redis?.url ?? 'postgres',
    smtp: stack.inbox.url,
    sftp: `sftp://${stack.env.SFTP_USERNAME}@127.0.0.1:${stack.env.SFTP_PORT}`,
  };
}

function describe(running: RunningStack): string {
  const { gateway, queue, smtp, data, env } = addresses(running);
  const { SFTP_PORT, SFTP_USERNAME, SFTP_PASSWORD, SFTP_HOST_KEY } = running.stack.env;
  return [
    '',
    'Postloop is up. In a second terminal, from this folder: `postloop doctor`, `postloop client apply …`, `postloop ingest …`',
    '',
    facts([
      ['tracking gateway', gateway],
      [
        'SFTP',
        `sftp -P ${SFTP_PORT} ${SFTP_USERNAME}@127.0.0.1   password ${SFTP_PASSWORD}   host key ${SFTP_HOST_KEY}`,
      ],
      ['SMTP inbox', `${smtp} (keeps every mail, delivers none)`],
      ['PostgreSQL', running.stack.databaseUrl],
      ['queue', queue === 'postgres' ? 'in PostgreSQL' : queue],
      ['data, logs', data],
      ['settings', env],
    ]),
    'Everything stays up until Ctrl-C.\n',
  ].join('\n');
}
