/** How an attempt to hand over one mail ended. */
export type SmtpOutcome =
  | { kind: 'accepted'; reply: SmtpReply }
  /** The server said no, for now (4xx) or for good (5xx). */
  | { kind: 'refused'; reply: SmtpReply; stage: RefusedStage }
  /** The connection was lost. Without the final dot nothing was handed over; with it only the server knows (RFC 1047). */
  | { kind: 'lost'; dotWritten: boolean; why: string };

/** What the server refused: MAIL, RCPT, or DATA and what follows. */
export type RefusedStage = 'sender' | 'recipient' | 'data';

export interface SmtpReply {
  code: number;
  /** The lines without their codes, joined by a blank. */
  text: string;
}

/** Collects the bytes of a server into replies (RFC 5321 4.2.1). */
export class ReplyReader {
  #rest = '';
  #lines: string[] = [];

  /** @returns the replies that are complete; throws when the server does not speak SMTP */
  push(chunk: Buffer): SmtpReply[] {
    const parts = (this.#rest + chunk.toString('latin1')).split('\n');
    this.#rest = parts.pop() ?? '';
    if (this.#rest.length > MAX_LINE || this.#lines.length > MAX_LINES)
      throw new Error('the server sends endless replies');
    const replies: SmtpReply[] = [];
    for (const part of parts) {
      const line = part.endsWith('\r') ? part.slice(0, -1) : part;
      const code = line.slice(0, 3);
      if (!/^\d{3}$/.test(code))
        throw new Error(`the server does not speak SMTP: ${JSON.stringify(part.slice(0, 80))}`);
      const separator = line[3];
      this.#lines.push(line.slice(separator === ' ' || separator === '-' ? 4 : 3));
      if (separator === '-') continue;
      replies.push({ code: Number(code), text: this.#lines.join(' ') });
      this.#lines = [];
    }
    return replies;
  }
}

/** RFC 5321 4.5.3.1.5 allows 512 octets; servers send more. */
const MAX_LINE = 8_192;
const MAX_LINES = 200;
