export * from './config.js';
export { type Environment, readEnvironment } from './env.js';
export type { ReadinessCheck } from './health.js';
export { killPoint } from './kill-point.js';
export { createLogger, type Logger } from './logger.js';
export { Resources } from './resources.js';
export { createContext, runService, type Service, type ServiceContext } from './service.js';
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
