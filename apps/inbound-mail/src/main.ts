import { runService } from '@postloop/service-kit';
import { configSchema } from './config.js';
import { start } from './service.js';

await runService('inbound-mail', configSchema, start);
