export { addressPattern, addressProblem, normaliseAddress } from './address.js';
export { ByteWriter } from './byte-writer.js';
export { compileMail } from './compile.js';
export { createKeyring, type Keyring, type KeyringOptions } from './keyring.js';
export type { Attachment } from './mail-parts.js';
export type { CompiledLink, CompiledMail, ContentKind, MailSource, StoredMail } from './mail-program.js';
export { currentProgram } from './mail-program.js';
export { createLinkLister, type PersonalisedLink } from './personalised-links.js';
export { createRenderer, type MailRecipient, type RenderedMail, type Renderer, type UnencodedMail } from './render.js';
export { NO_DATA, needsOf, type RecipientNeeds, type ReferencedContent, type RenderData } from './render-data.js';
export { RenderError } from './render-error.js';
export type { RendererOptions } from './render-options.js';
export { safeWebUrl } from './safe-url.js';
export { MAX_TARGET_BYTES, openTarget, sealTarget } from './sealed-target.js';
export { TemplateError, type TemplatePart, type TemplateProblem } from './template-problem.js';
export { type ContentRules, DEFAULT_TEMPLATE_SETTINGS, type TemplateSettings } from './template-settings.js';
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
