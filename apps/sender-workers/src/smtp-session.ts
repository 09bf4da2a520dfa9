import type { Socket } from 'node:net';
import { ByteWriter, type RenderedMail } from '@postloop/mail-domain';
import { killPoint } from '@postloop/service-kit';
import { type MailSession, UNSIGNED } from './mail-session.js';
import { type RefusedStage, ReplyReader, type SmtpOutcome, type SmtpReply } from './smtp-answer.js';

interface Exchange {
  mail: RenderedMail;
  signatures: Buffer;
  resolve: (outcome: SmtpOutcome) => void;
  /** The first refusal among MAIL, RCPT and DATA. */
  refusal: { reply: SmtpReply; stage: RefusedStage } | undefined;
  dotWritten: boolean;
}

const DOT = Buffer.from('.\r\n');

/**
 * The mails of one SMTP connection, one after the other. A mail goes out as one write, and where the server offers PIPELINING
 * (RFC 2920) the next mail's envelope goes with it, so a mail costs one round trip instead of four. The socket comes from
 * nodemailer, which has greeted, encrypted and authenticated.
 */
export class SmtpSession implements MailSession {
  readonly #socket: Socket;
  readonly #pipelining: boolean;
  readonly #reader = new ReplyReader();
  readonly #writer = new ByteWriter();
  /** Who waits for which reply, in order. */
  readonly #awaited: ((reply: SmtpReply) => void)[] = [];
  readonly #waiting: Exchange[] = [];
  readonly #open = new Set<Exchange>();
  /** Whose envelope is out while its message is not. */
  #envelopeOf: Exchange | undefined;
  /** The last transaction was refused half way: the server must forget it before the next MAIL (RFC 5321 4.1.1.5). */
  #mustReset = false;
  #closed: string | undefined;
  /** Resolves with the reason when the connection is gone. */
  readonly closed: Promise<string>;
  #resolveClosed: (why: string) => void = () => undefined;

  constructor(socket: Socket, options: { pipelining: boolean; timeoutMs: number }) {
    this.#socket = socket;
    this.#pipelining = options.pipelining;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('error', (error) => this.#lose(error.message));
    socket.on('close', () => this.#lose('the server closed the connection'));
    socket.on('timeout', () => this.#awaited.length > 0 && this.#lose('the server did not answer in time'));
    socket.setTimeout(options.timeoutMs);
    socket.resume();
  }

  get isOpen(): boolean {
    return this.#closed === undefined;
  }

  /** Hands a mail over. Never rejects. */
  send(mail: RenderedMail, signatures = UNSIGNED): Promise<SmtpOutcome> {
    if (this.#closed !== undefined) return Promise.resolve({ kind: 'lost', dotWritten: false, why: this.#closed });
    return new Promise((resolve) => {
      const exchange: Exchange = { mail, signatures, resolve, refusal: undefined, dotWritten: false };
      this.#open.add(exchange);
      this.#waiting.push(exchange);
      if (!this.#envelopeOf && this.#mayPipeline()) this.#startNext([]);
    });
  }

  /** Says QUIT and closes, unless a mail is under way. */
  quitWhenIdle(): void {
    if (this.#closed !== undefined || this.#open.size > 0) return;
    this.#socket.end('QUIT\r\n');
    this.#lose('closed');
  }

  #mayPipeline(): boolean {
    return this.#pipelining || this.#awaited.length === 0;
  }

  /** Writes what is given and, if a mail waits, its envelope with it. */
  #startNext(parts: Buffer[], written?: () => void): void {
    const next = this.#mayPipeline() ? this.#waiting.shift() : undefined;
    if (next) {
      this.#envelopeOf = next;
      if (this.#mustReset) parts.push(this.#reset());
      parts.push(this.#envelope(next));
    }
    if (parts.length > 0) this.#socket.write(this.#joined(parts), written);
  }

  /** In the memory of the last write, unless that is still on its way. */
  #joined(parts: readonly Buffer[]): Buffer {
    if (this.#socket.writableLength > 0) return Buffer.concat(parts);
    this.#writer.reset();
    for (const part of parts) this.#writer.writeBytes(part);
    return this.#writer.view();
  }

  #reset(): Buffer {
    this.#mustReset = false;
    this.#awaited.push(() => undefined);
    return Buffer.from('RSET\r\n', 'latin1');
  }

  #envelope(exchange: Exchange): Buffer {
    const { envelopeFrom, envelopeTo } = exchange.mail;
    const commands = [`MAIL FROM:<${envelopeFrom}>\r\n`, `RCPT TO:<${envelopeTo}>\r\n`, 'DATA\r\n'];
    if (this.#pipelining) {
      this.#awaited.push(note(exchange, 'sender'), note(exchange, 'recipient'), (reply) =>
        this.#onData354(exchange, reply),
      );
      return Buffer.from(commands.join(''), 'latin1');
    }
    // One command, one reply: the next is written when the last was welcome.
    const [mail = '', rcpt = '', data = ''] = commands;
    const step = (stage: RefusedStage, command: string, then: (reply: SmtpReply) => void) => (reply: SmtpReply) => {
      if (reply.code >= 400) return this.#finish(exchange, { kind: 'refused', reply, stage });
      this.#awaited.push(then);
      this.#socket.write(command, 'latin1');
    };
    this.#awaited.push(
      step(
        'sender',
        rcpt,
        step('recipient', data, (reply) => this.#onData354(exchange, reply)),
      ),
    );
    return Buffer.from(mail, 'latin1');
  }

  #onData354(exchange: Exchange, reply: SmtpReply): void {
    const goAhead = reply.code === 354;
    if (!goAhead) exchange.refusal ??= { reply, stage: 'data' };
    if (exchange.refusal) {
      // RFC 2920 3.1: a server may ask for the message although nobody is to have it. It gets an empty one.
      const refused = { kind: 'refused', ...exchange.refusal } as const;
      if (!goAhead) {
        this.#finish(exchange, refused);
        return;
      }
      this.#awaited.push(() => this.#finish(exchange, refused));
      this.#envelopeOf = undefined;
      this.#startNext([DOT]);
      return;
    }
    this.#awaited.push((answer) => {
      const accepted = answer.code >= 200 && answer.code < 300;
      if (accepted) killPoint('sender.after-250');
      this.#finish(
        exchange,
        accepted ? { kind: 'accepted', reply: answer } : { kind: 'refused', reply: answer, stage: 'data' },
      );
    });
    exchange.dotWritten = true;
    this.#envelopeOf = undefined;
    this.#startNext([exchange.signatures, exchange.mail.data, DOT], () => killPoint('sender.after-dot'));
  }

  #finish(exchange: Exchange, outcome: SmtpOutcome): void {
    if (!this.#open.delete(exchange)) return;
    if (this.#envelopeOf === exchange) {
      this.#envelopeOf = undefined;
      this.#mustReset = true;
    }
    exchange.resolve(outcome);
    if (outcome.kind === 'refused' && outcome.reply.code === 421)
      this.#lose(`the server is closing: ${outcome.reply.text}`);
    else if (this.isOpen && !this.#envelopeOf) this.#startNext([]);
  }

  #onData(chunk: Buffer): void {
    try {
      for (const reply of this.#reader.push(chunk)) {
        const handle = this.#awaited.shift();
        if (handle) handle(reply);
        else this.#lose(`the server said ${reply.code} ${reply.text}`); // e.g. 421 out of idleness
      }
    } catch (error) {
      this.#lose((error as Error).message);
    }
  }

  #lose(why: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = why;
    if (why !== 'closed') this.#socket.destroy();
    for (const exchange of this.#open) exchange.resolve({ kind: 'lost', dotWritten: exchange.dotWritten, why });
    this.#open.clear();
    this.#resolveClosed(why);
  }
}

const note = (exchange: Exchange, stage: RefusedStage) => (reply: SmtpReply) => {
  if (reply.code >= 400) exchange.refusal ??= { reply, stage };
};
