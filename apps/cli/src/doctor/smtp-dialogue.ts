import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { SmtpSettings } from '@postloop/service-kit';

/** A refusal of the server, or its silence. `step` says at what: connect, TLS, greeting, EHLO, STARTTLS, AUTH. */
export class SmtpProblem extends Error {
  override name = 'SmtpProblem';
  constructor(
    readonly step: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface SmtpReply {
  code: number;
  lines: string[];
}

const TIMEOUT_MS = 10_000;
const MAX_REPLY = 64 * 1024;

/** One command at a time over one connection: enough to look whether a server would take mail. */
export class SmtpDialogue {
  #socket: Socket;
  readonly #tls: ConnectionOptions;

  private constructor(socket: Socket, tls: ConnectionOptions) {
    this.#socket = socket;
    this.#tls = tls;
  }

  static async open({ host, port, secure, tls }: SmtpSettings): Promise<SmtpDialogue> {
    // An address cannot be asked for by name (RFC 6066, 3); its certificate is checked against it all the same.
    const options = { host, ...(isIP(host) ? {} : { servername: host }), ...tls };
    const socket = secure ? connectTls({ ...options, port }) : connect({ host, port });
    await opened(socket, secure ? 'secureConnect' : 'connect', secure ? 'TLS' : 'connect');
    return new SmtpDialogue(socket, options);
  }

  /** Sends a line (none: waits for the greeting). @throws SmtpProblem unless the reply's code is one of `expected` */
  async say(step: string, line: string | undefined, expected: readonly number[]): Promise<SmtpReply> {
    if (line !== undefined) this.#socket.write(`${line}\r\n`);
    const reply = await this.#read(step);
    if (!expected.includes(reply.code))
      throw new SmtpProblem(step, `answered ${step} with ${reply.code} ${reply.lines.join(' ').slice(0, 200)}`);
    return reply;
  }

  async startTls(): Promise<void> {
    await this.say('STARTTLS', 'STARTTLS', [220]);
    const socket = connectTls({ ...this.#tls, socket: this.#socket });
    await opened(socket, 'secureConnect', 'STARTTLS');
    this.#socket = socket;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** A reply may have several lines (RFC 5321, 4.2.1). */
  async #read(step: string): Promise<SmtpReply> {
    let text = '';
    while (!/^\d{3}( .*)?\r?\n$/m.test(text.slice(text.lastIndexOf('\n', text.length - 2) + 1))) {
      text += String(await next(this.#socket, step));
      if (text.length > MAX_REPLY) throw new SmtpProblem(step, 'sends endless replies');
    }
    const lines = text.trimEnd().split(/\r?\n/);
    return { code: Number(lines.at(-1)?.slice(0, 3)), lines: lines.map((line) => line.slice(4)) };
  }
}

async function opened(socket: Socket, event: 'connect' | 'secureConnect', step: string): Promise<void> {
  try {
    await once(socket, event, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (cause) {
    socket.on('error', () => undefined).destroy();
    throw problemOf(step, cause);
  }
  // Later errors come as the end of a read.
  socket.on('error', () => undefined);
}

async function next(socket: Socket, step: string): Promise<unknown> {
  const over = new AbortController();
  const { signal } = over;
  const timer = setTimeout(() => over.abort(), TIMEOUT_MS);
  try {
    const [chunk] = await Promise.race([
      once(socket, 'data', { signal }),
      once(socket, 'close', { signal }).then(() => Promise.reject(new SmtpProblem(step, 'closed the connection'))),
    ]);
    return chunk;
  } catch (cause) {
    throw problemOf(step, cause);
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

function problemOf(step: string, cause: unknown): SmtpProblem {
  if (cause instanceof SmtpProblem) return cause;
  const late = cause instanceof Error && cause.name === 'AbortError';
  const message = late ? 'does not answer in time' : cause instanceof Error ? cause.message : String(cause);
  return new SmtpProblem(step, message, { cause });
}
