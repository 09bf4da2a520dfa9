import { deployMigrations } from '@postloop/db';
import { type House, type Stack, startHouse, startStack } from '@postloop/local-stack';
import { prepareQueueBackend } from '@postloop/queue';
import { Resources } from '@postloop/service-kit';
import { type DataFolder, prepareDataFolder } from './data-folder.js';
import { writeEnvFile } from './env-file.js';
import { gatewayPort } from './gateway-port.js';
import { endOrphans } from './orphans.js';
import { queueOf } from './stack-connections.js';

export interface UpOptions {
  dir?: string;
  queue: 'redis' | 'postgres' | 'auto';
  step: (message: string) => void;
}

/** A local stack with all apps on it, its settings written for other commands. */
export interface RunningStack extends AsyncDisposable {
  place: DataFolder;
  stack: Stack;
  house: House;
  envFile: string;
}

/** Starts everything on the data that is there; disposing stops it in order. */
export async function startUp({ dir, queue, step }: UpOptions): Promise<RunningStack> {
  const place = prepareDataFolder(dir);
  const { folder, data, closed } = place;
  if (closed !== undefined)
    step(`PostgreSQL's user cannot enter ${closed}: the data is kept in ${data}, only the env file in ${folder}`);
  const orphans = await endOrphans(data);
  if (orphans > 0) step(`ended ${orphans} processes that a killed start had left behind`);
  const resources = new Resources();
  try {
    step(`starting PostgreSQL, a queue, an SFTP server and an SMTP inbox in ${data}`);
    const stack = resources.add(await startStack({ dir: data, queue }));
    const migrations = await deployMigrations(stack.databaseUrl);
    if (migrations.length > 0) step(`applied ${migrations.length} migrations`);
    await prepareQueueBackend(queueOf(stack));
    const gateway = await gatewayPort(data);
    if (gateway.changed)
      step('another program holds the old port of the gateway: links in mails sent before lead nowhere');
    step(`starting the apps (queue: ${stack.redis ? 'Redis' : 'PostgreSQL'})`);
    const house = resources.add(
      await startHouse(stack, { dir: data, env: appEnvironment(gateway.port), onCrash: crashed(step) }),
    );
    const envFile = writeEnvFile(folder, house.env);
    return { place, stack, house, envFile, [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose]() };
  } catch (error) {
    await resources[Symbol.asyncDispose]();
    throw error;
  }
}

function appEnvironment(port: number): Record<string, string> {
  return { GATEWAY_PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}`, STILLNESS_MS: '500' };
}

const crashed = (step: (message: string) => void) => (name: string, logFile: string) =>
  step(`${name} ended unexpectedly and is started again; see ${logFile}`);
