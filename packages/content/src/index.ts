export * from './content-error.js';
export * from './fetch-content.js';
export * from './fetch-once.js';
export { parseHostList } from './host-list.js';
