import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

/** An SMTP client by hand: says what it is told, one reply at a time. */
export class SmtpClient {
  #received = '';
  #closed = false;

  private constructor(private socket: Socket | TLSSocket) {
    this.#listen();
  }

  /** Connects and says EHLO. */
  static async connect(port: number): Promise<SmtpClient> {
    const client = new SmtpClient(connect(port, '127.0.0.1').setNoDelay(true));
    await client.reply();
    await client.say('EHLO tester.example');
    return client;
  }

  async say(command: string): Promise<string> {
    this.socket.write(`${command}\r\n`);
    return this.reply();
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** The last line of the next reply; '' when the connection is over. */
  async reply(): Promise<string> {
    for (;;) {
      const found = /^(?:\d{3}-.*\r\n)*(\d{3}(?: .*)?)\r\n/.exec(this.#received);
      if (found) {
        this.#received = this.#received.slice(found[0].length);
        return found[1] ?? '';
      }
      if (this.#closed) return '';
      const over = new AbortController();
      const heard = ['data', 'close'].map((event) => once(this.socket, event, { signal: over.signal }));
      await Promise.race(heard).catch(() => undefined);
      over.abort();
      await Promise.allSettled(heard);
    }
  }

  /** One message to one recipient; the reply that decided. */
  async send(to: string, message: string | Buffer, from = ''): Promise<string> {
    for (const [command, wanted] of [
      [`MAIL FROM:<${from}>`, '250'],
      [`RCPT TO:<${to}>`, '250'],
      ['DATA', '354'],
    ] as const) {
      const reply = await this.say(command);
      if (!reply.startsWith(wanted)) return reply;
    }
    this.write(message);
    this.write('\r\n.\r\n');
    return this.reply();
  }

  async startTls(): Promise<void> {
    await this.say('STARTTLS');
    this.socket.removeAllListeners();
    this.socket = connectTls({ socket: this.socket, rejectUnauthorized: false });
    this.#listen();
    await once(this.socket, 'secureConnect');
    await this.say('EHLO tester.example');
  }

  end(): void {
    this.socket.destroy();
  }

  #listen(): void {
    this.socket.on('data', (bytes) => {
      this.#received += bytes.toString('latin1');
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.#closed = true;
    });
  }
}
