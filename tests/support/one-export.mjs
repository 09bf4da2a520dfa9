// One job of the response exporter in a process of its own, for tests that kill it; without the queue, whose lease of a
// killed job would be waited for. The argument is JSON: url, sftp, clientId, resume, killPoint.
import { exportResponses } from '../../apps/response-exporter/dist/export-responses.js';
import { createMetrics } from '../../apps/response-exporter/dist/metrics.js';
import { openDatabase } from '../../packages/db/dist/index.js';
import { createContext } from '../../packages/service-kit/dist/index.js';
import { armKillPoint } from '../../packages/service-kit/dist/kill-point.js';
import { connectSftp } from '../../packages/sftp/dist/index.js';

const { url, sftp, clientId, resume, killPoint } = JSON.parse(process.argv[2] ?? '');
const { log, metrics, clock } = createContext('one-export', 'error');
const db = openDatabase({ url, poolMax: 4, onError: () => undefined });
armKillPoint(killPoint);
process.send?.('ready');
const deps = { db, clock, log, metrics: createMetrics(metrics), signal: new AbortController().signal };
await exportResponses({ ...deps, connect: () => connectSftp(sftp) }, { clientId: BigInt(clientId), resume });
await db[Symbol.asyncDispose]();
process.disconnect?.();
