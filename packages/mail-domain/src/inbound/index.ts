export { classifyInbound } from './classify-inbound.js';
export type { HeaderField } from './header-fields.js';
export type { BounceReason, InboundKind, InboundVerdict, ResponseCategory } from './inbound-verdict.js';
export type { Judgement } from './judge-refusal.js';
export { judgeSmtpReply } from './judge-smtp-reply.js';
export { DEFAULT_INBOUND_LIMITS, type GivenUp, type InboundLimits } from './limits.js';
export { type InboundReport, parseInbound } from './parse-inbound.js';
export type { RefusalStage } from './transcript.js';
