export * from './client-settings.js';
export * from './clock.js';
export * from './directories.js';
export * from './errors.js';
export * from './file-error.js';
export * from './inbox-files.js';
export * from './queues.js';
export * from './send-time.js';
