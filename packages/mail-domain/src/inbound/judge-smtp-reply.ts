import { type Judgement, judgeRefusal } from './judge-refusal.js';
import { findServerCodes, type ServerCodes } from './status-codes.js';
import type { RefusalStage } from './transcript.js';

/**
 * The category and reason of a refusal that a sender met itself.
 * @param reply the server's answer, all lines, such as `550 5.1.1 <bo@birch.example>: User unknown`
 * @param stage what was sent last
 */
export function judgeSmtpReply(reply: string, stage: RefusalStage): Judgement & ServerCodes {
  const codes = findServerCodes(reply);
  return { ...judgeRefusal({ texts: [reply], ...codes, stage }), ...codes };
}
