import type { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { SMTPServerDataStream, SMTPServerSession } from 'smtp-server';
import { endOfHeader, messageIdOf } from './smtp-header.js';
import type { Journal, JournalEntry } from './smtp-journal.js';
import type { InboxRule, Rules } from './smtp-rules.js';

type Done = (error?: Error | null, message?: string) => void;

/** Takes messages in and decides, in this order: rule, disk, answer. */
export class MessageHandler {
  readonly #open = new Set<Promise<void>>();

  constructor(
    private readonly journal: Journal,
    private readonly rules: Rules,
    private readonly events: EventEmitter,
    private readonly cut: (session: SMTPServerSession) => void,
  ) {}

  /** Resolves when no message is being dealt with. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#open);
  }

  receive(stream: SMTPServerDataStream, session: SMTPServerSession, done: Done): void {
    const work = this.#receive(stream, session, done);
    this.#open.add(work);
    work.finally(() => this.#open.delete(work)).catch(() => {});
  }

  async #receive(stream: SMTPServerDataStream, session: SMTPServerSession, done: Done): Promise<void> {
    const recipients = session.envelope.rcptTo.map((recipient) => recipient.address);
    const early = this.rules.take('begin', recipients);
    let message: Buffer;
    try {
      message = await readMessage(stream, early !== undefined);
    } catch {
      // The client went away before the final dot. Nothing was promised to anybody, so nothing is recorded.
      return;
    }
    const facts = factsOf(session, recipients, message);
    if (early) {
      this.#record({ ...facts, type: 'dropped', code: null });
      this.cut(session);
      return;
    }
    const entry = { ...facts, ...this.journal.keep(message) };
    this.#record({ ...entry, type: 'dot', code: null });
    const rule = this.rules.take('data', recipients);
    if (rule?.delayMs) await delay(rule.delayMs);
    this.#decide(rule, entry, session, done);
  }

  #decide(rule: InboxRule | undefined, entry: Facts, session: SMTPServerSession, done: Done): void {
    if (rule?.drop === 'after-dot') {
      this.#record({ ...entry, type: 'dropped', code: null });
      this.cut(session);
    } else if (rule?.reply) {
      this.#record({ ...entry, type: 'refused', code: rule.reply.code });
      done(refusal(rule.reply));
    } else if (rule?.drop === 'after-250-lost') {
      this.#record({ ...entry, type: 'accepted', code: null });
      this.cut(session);
    } else {
      // Counts as delivered from here on, whether or not the client is still there to hear it.
      this.#record({ ...entry, type: 'accepted', code: 250 });
      done(null, `OK: queued as ${this.journal.counts.accepted}`);
    }
  }

  #record(entry: Omit<JournalEntry, 'at'>): void {
    this.journal.add({ ...entry, at: new Date().toISOString() });
    this.events.emit(entry.type);
  }
}

type Facts = Omit<JournalEntry, 'type' | 'at' | 'code'>;

function factsOf(session: SMTPServerSession, envelopeTo: string[], message: Buffer): Facts {
  const { mailFrom } = session.envelope;
  return {
    messageId: messageIdOf(message),
    envelopeFrom: mailFrom === false ? '' : mailFrom.address,
    envelopeTo,
    size: message.length,
    offset: 0,
    length: 0,
  };
}

/** The whole message, or with `headerOnly` what is there once its header is complete. Rejects when the connection ends first. */
async function readMessage(stream: SMTPServerDataStream, headerOnly: boolean): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // An iterator would destroy the stream on leaving it early; smtp-server still writes to it then, into nothing.
  for await (const chunk of stream) {
    chunks.push(chunk);
    if (headerOnly && endOfHeader(Buffer.concat(chunks)) !== -1) break;
  }
  return Buffer.concat(chunks);
}

/** What smtp-server turns into a reply line. */
export function refusal(reply: { code: number; text: string }): Error {
  return Object.assign(new Error(reply.text), { responseCode: reply.code });
}
