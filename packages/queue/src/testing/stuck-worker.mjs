// A worker that takes a job and never ends it, for a test to kill. argv: connection as JSON, lock in milliseconds.
import { startWorker } from '@postloop/queue';

const [connection = '', lockMs = ''] = process.argv.slice(2);
const log = { info() {}, warn() {}, error() {} };
const handler = (payload) => {
  process.send?.(payload.importId.toString());
  return new Promise(() => {});
};
startWorker(JSON.parse(connection), 'fileImport', handler, { concurrency: 1, lockMs: Number(lockMs), log });
