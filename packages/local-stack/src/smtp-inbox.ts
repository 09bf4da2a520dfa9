import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';
import { type Counts, Journal, type JournalEntry } from './smtp-journal.js';
import { MessageHandler, refusal } from './smtp-messages.js';
import { type InboxRule, Rules, type Stage } from './smtp-rules.js';

export interface InboxOptions {
  /** Holds `journal.jsonl` and `messages.raw`; one that is there is continued. */
  dir: string;
  /** Default: a free one. */
  port?: number;
}

/** The SMTP server that the fault tests believe: what it counts is on disk before the client hears of it. */
export interface SmtpInbox extends AsyncDisposable {
  readonly port: number;
  /** `smtp://127.0.0.1:PORT` */
  readonly url: string;
  /** So far, earlier runs on this directory included. */
  readonly counts: Readonly<Counts>;
  /** Everything recorded, in order, read back from disk. */
  journal(): JournalEntry[];
  /** Message-ID -> how often a message with it was accepted; messages without one are under ''. */
  acceptedMessageIds(): Map<string, number>;
  /** The message of an entry, as it came, dot-stuffing undone. */
  raw(entry: JournalEntry): Buffer;
  /** Resolves as soon as `n` messages in all are accepted; rejects after `timeoutMs` (default 30,000), saying what was counted. */
  waitForAccepted(n: number, timeoutMs?: number): Promise<void>;
  /** Adds a rule. Of several that fit, the earliest counts. */
  behave(rule: InboxRule): void;
  /** Drops all rules: everything is accepted. */
  behaveNormally(): void;
  /** Cuts all connections. */
  stop(): Promise<void>;
}

/** Starts an inbox on 127.0.0.1: ESMTP with PIPELINING, no TLS, no login, every recipient welcome. */
export async function startSmtpInbox(options: InboxOptions): Promise<SmtpInbox> {
  const journal = new Journal(options.dir);
  const rules = new Rules();
  const events = new EventEmitter().setMaxListeners(0);
  const sockets = new Map<string, Socket>();
  const handler = new MessageHandler(journal, rules, events, (session) => sockets.get(keyOf(session))?.destroy());
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    hideSTARTTLS: true,
    disableReverseLookup: true,
    logger: false,
    onConnect: (_session, done) => gate(rules, 'connect', []).then(done),
    onMailFrom: (_address, _session, done) => gate(rules, 'mail', []).then(done),
    onRcptTo: (address, _session, done) => gate(rules, 'rcpt', [address.address]).then(done),
    onData: (stream, session, done) => handler.receive(stream, session, done),
  });
  // A client that breaks off is part of the game.
  server.on('error', () => {});
  server.server.on('connection', (socket: Socket) => {
    const key = keyOf(socket);
    sockets.set(key, socket.setNoDelay(true));
    socket.on('close', () => sockets.delete(key));
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server.server, 'listening');
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('the inbox has no port');
  const stop = async () => {
    if (!server.server.listening) return;
    const closed = once(server.server, 'close');
    server.close();
    for (const socket of sockets.values()) socket.destroy();
    await closed;
    await handler.idle();
    journal.close();
  };
  return {
    port: address.port,
    url: `smtp://127.0.0.1:${address.port}`,
    counts: journal.counts,
    journal: () => journal.read(),
    acceptedMessageIds: () => new Map(journal.accepted),
    raw: (entry) => journal.raw(entry),
    waitForAccepted: (n, timeoutMs = 30_000) => waitForAccepted(journal, events, n, timeoutMs),
    behave: (rule) => rules.add(rule),
    behaveNormally: () => rules.clear(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Applies the rule for a stage before the message: undefined to go on, an error to refuse. */
async function gate(rules: Rules, stage: Stage, recipients: string[]): Promise<Error | undefined> {
  const rule = rules.take(stage, recipients);
  if (rule?.delayMs) await delay(rule.delayMs);
  return rule?.reply ? refusal(rule.reply) : undefined;
}

async function waitForAccepted(journal: Journal, events: EventEmitter, n: number, timeoutMs: number): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  while (journal.counts.accepted < n) {
    try {
      await once(events, 'accepted', { signal });
    } catch {
      const { dots, accepted, refused, dropped } = journal.counts;
      throw new Error(
        `${accepted} of ${n} messages accepted within ${timeoutMs} ms (dots ${dots}, refused ${refused}, dropped ${dropped})`,
      );
    }
  }
}

/** smtp-server does not hand out its sockets; the client's port tells them apart, as all come from one address. */
function keyOf(peer: { remoteAddress?: string | undefined; remotePort?: number | undefined }): string {
  return `${peer.remotePort}`;
}
