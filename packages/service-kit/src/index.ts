export { BoundedCache } from './bounded-cache.js';
export * from './config.js';
export { contentConfig, contentLeaseMs, contentRules } from './content-config.js';
export { dkimConfig } from './dkim-config.js';
export type { Environment } from './env.js';
export type { ReadinessCheck } from './health.js';
export { killPoint } from './kill-point.js';
export { createLogger, type Logger } from './logger.js';
export { describeIssues, parsedBy, parseJson } from './parsed-variable.js';
export { Resources } from './resources.js';
export { createContext, runService, type Service, type ServiceContext } from './service.js';
export type { SftpAccount } from './sftp-accounts.js';
export { sftpConfig, sftpOf } from './sftp-config.js';
export { missingSelectors, smtpConfig, transportsOf } from './smtp-config.js';
export type { SmtpAddress } from './smtp-url.js';
export { startAtZero } from './start-at-zero.js';
export {
  describeSpan,
  linkTraces,
  type TraceScope,
  traceparent,
  traceScope,
  tracingOn,
  useTracing,
  withSpan,
} from './tracing.js';
export {
  DEFAULT_TRANSPORT,
  type LoginSettings,
  type NamedTransport,
  type SmtpClient,
  type SmtpSettings,
  smtpSettings,
  type TransportSettings,
} from './transport-config.js';
export { withoutSecrets } from './without-secrets.js';
