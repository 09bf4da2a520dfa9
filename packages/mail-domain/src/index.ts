export { addressPattern, addressProblem, normaliseAddress } from './address.js';
export { compileMail } from './compile.js';
export { createKeyring, type Keyring, type KeyringOptions } from './keyring.js';
export type { CompiledLink, CompiledMail, FieldEscape, MailSource, Segment, TargetSegment } from './mail-program.js';
export { createRenderer, type MailRecipient, RenderError, type RenderedMail, type Renderer } from './render.js';
export type { RendererOptions } from './render-options.js';
export { renderTarget } from './render-value.js';
export { MAX_TARGET_BYTES, openTarget, sealTarget } from './sealed-target.js';
export { TemplateError, type TemplatePart, type TemplateProblem } from './template-problem.js';
export {
  messageIdLocalPart,
  returnPathLocalPart,
  signTokens,
  type TokenContent,
  type TokenPurpose,
  type TokenRequest,
  verifyToken,
} from './token.js';
export { describeUserAgent, type UserAgentDescription } from './user-agent.js';
export { type UserAgentFamilies, userAgentFamilies } from './user-agent-family.js';
export { type Classification, classifyEvent, type EventFacts, type Verdict } from './verdict.js';
