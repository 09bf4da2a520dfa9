export * from './connect.js';
export * from './errors.js';
export { fingerprintOf } from './host-key.js';
export type { RemoteFile } from './remote-file.js';
export { type PutOptions, SftpSession } from './session.js';
