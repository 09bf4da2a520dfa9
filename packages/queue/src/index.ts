export { checkQueueBackend, prepareQueueBackend, type QueueConnection } from './connection.js';
export { createProducer, type Producer } from './producer.js';
export { type Handler, startWorker } from './worker.js';
