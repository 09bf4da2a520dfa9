export * from './clock.js';
export * from './directories.js';
export * from './errors.js';
export * from './file-error.js';
export * from './queues.js';
