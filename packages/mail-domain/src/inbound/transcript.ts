import { rangeOfLines } from './lines.js';

/** What the client had sent last when the server refused: the sender, the recipient, the mail itself, or nobody says. */
export type RefusalStage = 'sender' | 'recipient' | 'data' | 'unknown';

const NAMED = /\bin reply to (?:the )?(end of data|[a-z]{4})\b/i;
const AFTER =
  /\b(?:after|response to|in response to|when sending|sending) (?:the )?(?:end of )?(data|rcpt|mail from)\b/i;
const COMMAND = /^[\s>-]{0,20}(?:>>>|SMTP command:?)\s{0,5}([A-Za-z]{4})\b/i;
const ANSWER = /^[\s]{0,20}<<<\s{0,5}[45]\d\d/;
/** qmail's words for a refused RCPT. */
const QMAIL = 'does not like recipient';

/**
 * Reads the stage from a notice: `(in reply to end of DATA command)`, `after RCPT TO:<…>`, or a transcript, in which the first
 * refusal counts: what follows it are its consequences.
 */
export function stageOfRefusal(text: string): RefusalStage {
  const named = NAMED.exec(text)?.[1] ?? AFTER.exec(text)?.[1];
  if (named !== undefined) return stageOf(named);
  let command = '';
  for (const line of rangeOfLines(text)) {
    command = COMMAND.exec(line)?.[1] ?? command;
    if (ANSWER.test(line) && command !== '') return stageOf(command);
  }
  if (text.includes(QMAIL) || /\bRCPT(?:_TO)?\b/.test(text)) return 'recipient';
  return /server message|smtp command/i.test(text) && /^\s{0,5}DATA\s{0,5}$/m.test(text) ? 'data' : 'unknown';
}

function stageOf(command: string): RefusalStage {
  if (/data$/i.test(command)) return 'data';
  if (/^mail/i.test(command)) return 'sender';
  return /^rcpt/i.test(command) ? 'recipient' : 'unknown';
}
