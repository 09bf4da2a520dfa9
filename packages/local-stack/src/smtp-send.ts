import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * Hands a message over as a mail server does, each command after the reply to the one before.
 * @param url smtp://HOST:PORT
 * @returns the reply that decided: the first refusal, or that to the message; '' when the connection was lost
 */
export async function smtpSend(url: string, envelope: { from: string; to: string }, message: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined); // a lost connection ends the lines
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const reply = async (): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) return '';
      if (!/^\d{3}-/.test(value)) return value;
    }
  };
  try {
    let last = await reply();
    const commands = ['EHLO mx.example', `MAIL FROM:<${envelope.from}>`, `RCPT TO:<${envelope.to}>`, 'DATA'];
    for (const command of [...commands, `${message.replace(/^\./gm, '..')}\r\n.`]) {
      if (!/^[23]/.test(last)) return last;
      socket.write(`${command}\r\n`);
      last = await reply();
    }
    return last;
  } finally {
    if (!socket.destroyed) {
      socket.end();
      await once(socket, 'close').catch(() => undefined);
    }
  }
}
