import * as importer from '../../apps/importer/dist/config.js';
import { start as startImporter } from '../../apps/importer/dist/service.js';
import * as factory from '../../apps/mailing-factory/dist/config.js';
import { start as startFactory } from '../../apps/mailing-factory/dist/service.js';
import * as exporter from '../../apps/response-exporter/dist/config.js';
import { start as startExporter } from '../../apps/response-exporter/dist/service.js';
import * as scheduler from '../../apps/scheduler/dist/config.js';
import { start as startScheduler } from '../../apps/scheduler/dist/service.js';
import * as sender from '../../apps/sender-workers/dist/config.js';
import { start as startSender } from '../../apps/sender-workers/dist/service.js';
import * as ingest from '../../apps/sftp-ingest/dist/config.js';
import { start as startIngest } from '../../apps/sftp-ingest/dist/service.js';
import * as gateway from '../../apps/tracking-gateway/dist/config.js';
import { start as startGateway } from '../../apps/tracking-gateway/dist/service.js';
import { createContext, parseConfig, useTracing } from '../../packages/service-kit/dist/index.js';

export type RunningApps = AsyncDisposable;

/** All apps in this process, so that one test sees all their spans; they trace into the provider that is registered here. */
export async function startApps(env: Record<string, string>): Promise<RunningApps> {
  await useTracing();
  const small = { ...env, DATABASE_POOL: '4', SMTP_CONNECTIONS: '2' };
  const context = (name: string) => createContext(name, 'fatal');
  const services = await Promise.all([
    startIngest(parseConfig(ingest.configSchema, small), context('sftp-ingest')),
    startImporter(parseConfig(importer.configSchema, small), context('importer')),
    startFactory(parseConfig(factory.configSchema, small), context('mailing-factory')),
    startSender(parseConfig(sender.configSchema, small), context('sender-workers')),
    startGateway(parseConfig(gateway.configSchema, small), context('tracking-gateway')),
    startExporter(parseConfig(exporter.configSchema, small), context('response-exporter')),
    startScheduler(parseConfig(scheduler.configSchema, small), context('scheduler')),
  ]);
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(services.map((service) => service[Symbol.asyncDispose]()));
    },
  };
}
