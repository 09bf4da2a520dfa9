import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/** A relay that takes mails and drops them. */
export interface SmtpDrain extends AsyncDisposable {
  port: number;
  /** `smtp://127.0.0.1:PORT` */
  url: string;
}

/**
 * A mail server (RFC 5321, PIPELINING) for measurements, where the inbox, which writes everything down, would be what is
 * measured: it costs one look per chunk and one write per mail.
 * @param options `delayMs`: what it takes over each message of a connection; none by default
 */
export async function startSmtpDrain(options: { port?: number; delayMs?: number } = {}): Promise<SmtpDrain> {
  const { port: wanted = 0, delayMs = 0 } = options;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, delayMs);
  });
  server.listen({ port: wanted, host: '127.0.0.1', backlog: 4_096 });
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : wanted;
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

const TAKEN = '250 2.0.0 taken\r\n';
const END_OF_DATA = Buffer.from('\r\n.\r\n');

function serve(socket: Socket, delayMs: number): void {
  let inData = false;
  let busy = false;
  let leaving = false;
  let rest: Buffer = Buffer.alloc(0);

  /** Answers what is there, up to the end of a message: what follows it is answered with it, as a busy relay does. */
  const answer = (before = ''): void => {
    let replies = before;
    while (!busy) {
      const end = inData ? rest.indexOf(END_OF_DATA) : rest.indexOf('\r\n');
      if (end < 0) break;
      if (inData) {
        rest = rest.subarray(end + END_OF_DATA.length);
        inData = false;
        if (delayMs === 0) replies += TAKEN;
        else {
          busy = true;
          setTimeout(accept, delayMs);
        }
      } else {
        const verb = rest.toString('latin1', 0, Math.min(end, 4)).toUpperCase();
        // A message that is empty ends with the line that DATA stands in.
        rest = rest.subarray(verb === 'DATA' ? end : end + 2);
        inData = verb === 'DATA';
        leaving ||= verb === 'QUIT';
        replies += replyTo(verb);
      }
    }
    // Of a message that goes on, only what may be part of its end.
    if (inData && rest.length > END_OF_DATA.length) rest = rest.subarray(-END_OF_DATA.length);
    if (replies !== '' && socket.writable) socket.write(replies, 'latin1');
    if (leaving) socket.end();
  };
  const accept = () => {
    busy = false;
    answer(TAKEN);
  };

  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    answer();
  });
  socket.on('error', () => socket.destroy());
  socket.write('220 drain\r\n', 'latin1');
}

function replyTo(verb: string): string {
  if (verb === 'EHLO') return '250-drain\r\n250-PIPELINING\r\n250 8BITMIME\r\n';
  if (verb === 'DATA') return '354 go on\r\n';
  if (verb === 'QUIT') return '221 bye\r\n';
  return '250 2.1.0 ok\r\n';
}
