import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** An SMTP client by hand, for tests: writes what it is told, reads one reply at a time. */
export class SmtpDialogue {
  #received = '';
  #ended = false;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (bytes) => {
      this.#received += bytes.toString('latin1');
    });
    socket.on('close', () => {
      this.#ended = true;
    });
    socket.on('error', () => {});
  }

  static async connect(port: number): Promise<SmtpDialogue> {
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    const dialogue = new SmtpDialogue(socket);
    await once(socket, 'connect');
    return dialogue;
  }

  write(text: string): void {
    this.socket.write(text);
  }

  /** One command, its reply. */
  say(command: string): Promise<string | null> {
    this.write(`${command}\r\n`);
    return this.reply();
  }

  /** The next reply, all its lines (RFC 5321, 4.2), without the last line break; null when the connection is over. */
  async reply(): Promise<string | null> {
    for (;;) {
      const found = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(this.#received);
      if (found) {
        this.#received = this.#received.slice(found[0].length);
        return found[0].trimEnd().replaceAll('\r\n', '\n');
      }
      if (this.#ended) return null;
      const stop = new AbortController();
      const { signal } = stop;
      await Promise.race([once(this.socket, 'data', { signal }), once(this.socket, 'close', { signal })]).catch(
        () => {},
      );
      stop.abort();
    }
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
