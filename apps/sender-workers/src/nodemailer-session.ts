import { Readable } from 'node:stream';
import type { RenderedMail } from '@postloop/mail-domain';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { type MailSession, UNSIGNED } from './mail-session.js';
import type { RefusedStage, SmtpOutcome, SmtpReply } from './smtp-answer.js';

type SendError = Parameters<Parameters<SMTPConnection['send']>[2]>[0];

const STAGES: ReadonlyMap<string, RefusedStage> = new Map([
  ['MAIL FROM', 'sender'],
  ['RCPT TO', 'recipient'],
  ['DATA', 'data'],
]);

/**
 * To fall back to: nodemailer itself hands the mails over, one after the other. It does not say when the final dot is
 * written, so a mail of which a byte was taken counts as written (RFC 1047).
 */
export class NodemailerSession implements MailSession {
  readonly #connection: SMTPConnection;
  /** Ends when every mail given so far has its outcome. */
  #queue: Promise<unknown> = Promise.resolve();
  #underWay = 0;
  /** As nodemailer's own pool does after a refusal. */
  #mustReset = false;
  /** Ends what waits for an answer that will not come. */
  #giveUp: (why: string) => void = () => undefined;
  #closed: string | undefined;
  readonly closed: Promise<string>;
  #resolveClosed: (why: string) => void = () => undefined;

  constructor(connection: SMTPConnection) {
    this.#connection = connection;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    connection.on('error', (error: Error) => this.#lose(error.message));
    connection.on('end', () => this.#lose('the server closed the connection'));
    if (connection.destroyed) this.#lose('the server closed the connection');
  }

  get isOpen(): boolean {
    return this.#closed === undefined;
  }

  send(mail: RenderedMail, signatures = UNSIGNED): Promise<SmtpOutcome> {
    this.#underWay += 1;
    const outcome = this.#queue.then(() => this.#handOver(mail, signatures));
    this.#queue = outcome;
    return outcome;
  }

  quitWhenIdle(): void {
    if (!this.isOpen || this.#underWay > 0) return;
    this.#connection.quit();
    this.#lose('closed');
    this.#connection.close();
  }

  async #handOver(mail: RenderedMail, signatures: Buffer): Promise<SmtpOutcome> {
    if (this.#mustReset && this.isOpen) await this.#reset();
    const outcome: SmtpOutcome =
      this.#closed === undefined
        ? await this.#exchange(mail, signatures)
        : { kind: 'lost', dotWritten: false, why: this.#closed };
    this.#mustReset = outcome.kind !== 'accepted';
    this.#underWay -= 1;
    return outcome;
  }

  #reset(): Promise<void> {
    return new Promise((resolve) => {
      this.#giveUp = () => resolve();
      this.#connection.reset((error) => {
        if (error) this.#connection.close();
        resolve();
      });
    });
  }

  #exchange({ envelopeFrom, envelopeTo, data }: RenderedMail, signatures: Buffer): Promise<SmtpOutcome> {
    // A stream can be asked whether nodemailer began with it. A copy: on a connection that was given up, nodemailer may still
    // write when the memory of `data` already holds another mail.
    const message = Readable.from(Buffer.concat([signatures, data]));
    return new Promise((resolve) => {
      this.#giveUp = (why) => resolve({ kind: 'lost', dotWritten: message.readableDidRead, why });
      this.#connection.send({ from: envelopeFrom, to: [envelopeTo] }, message, (error, info) => {
        const refusal = error && refusalOf(error);
        if (!error) resolve({ kind: 'accepted', reply: replyOf(info.response) });
        else if (refusal) resolve(refusal);
        else this.#giveUp(error.message);
      });
    });
  }

  #lose(why: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = why;
    this.#resolveClosed(why);
    // nodemailer tells that the connection is gone before it tells, in the same turn, what the server had said to the mail.
    queueMicrotask(() => this.#giveUp(why));
  }
}

/** Undefined when the server refused nothing, or answered something else than the mail. */
function refusalOf({ command = '', response, responseCode }: NonNullable<SendError>): SmtpOutcome | undefined {
  const stage = STAGES.get(command);
  return stage && response && responseCode ? { kind: 'refused', reply: replyOf(response), stage } : undefined;
}

/** @param response the lines with their codes, joined by LF; begins with a digit */
function replyOf(response: string): SmtpReply {
  const lines = response.split('\n');
  return { code: Number.parseInt(response, 10), text: lines.map((line) => line.slice(4)).join(' ') };
}
