import type { Socket } from 'node:net';
import { killPoint } from '@postloop/service-kit';
import type { Answer } from './answers.js';
import { type PlainRequest, readPlainRequest } from './plain-request.js';

export interface PlainConnectionOptions {
  /** Undefined for a request that is somebody else's. Never rejects. */
  answer: (request: PlainRequest) => Promise<Answer> | undefined;
  /** Takes the connection over, with what has come in on it. */
  handOver: (socket: Socket) => void;
  /** How long a connection may lie idle, in milliseconds. */
  keepAliveMs: number;
  nowMs: () => number;
}

/**
 * A connection on which one plain request after the other is answered, each in one write. At the first that is not plain, or
 * does not wait for the answer before (RFC 9112 9.3.2), it is handed over with all of its bytes and never comes back.
 */
export class PlainConnection {
  readonly #socket: Socket;
  readonly #options: PlainConnectionOptions;
  /** A request is being answered. */
  #busy = false;
  /** What is done after the answer that is under way. */
  #then: 'read' | 'handOver' | 'close' = 'read';

  constructor(socket: Socket, options: PlainConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.setTimeout(options.keepAliveMs);
    socket.on('data', this.#onData).on('end', this.#onEnd).on('timeout', this.#onLost).on('error', this.#onLost);
  }

  /** After the answer that is under way. What comes in from now on is not looked at (RFC 9112 9.6): its sender asks again. */
  close(): void {
    this.#socket.off('data', this.#onData);
    this.#then = 'close';
    if (!this.#busy) this.#socket.destroySoon();
  }

  readonly #onData = (bytes: Buffer): void => {
    // Somebody who does not take the answers gets no more of them from here.
    const early = this.#busy || this.#socket.writableLength > 0;
    const request = early ? undefined : readPlainRequest(bytes);
    const answer = request && this.#options.answer(request);
    if (answer) {
      this.#busy = true;
      void answer.then(this.#write);
      return;
    }
    // Put back before the end of the stream can be seen: after it nothing can be.
    this.#socket.pause();
    this.#socket.unshift(bytes);
    if (this.#busy) this.#then = 'handOver';
    else this.#handOver();
  };

  readonly #write = ({ head, body }: Answer): void => {
    this.#busy = false;
    const { keepAliveMs, nowMs } = this.#options;
    const connection = this.#then === 'close' ? 'close' : `keep-alive\r\nKeep-Alive: timeout=${keepAliveMs / 1_000}`;
    const rest = `content-length: ${body.length}\r\nDate: ${httpDate(nowMs())}\r\nConnection: ${connection}\r\n\r\n${body}`;
    this.#socket.write(head + rest, 'latin1');
    killPoint('gateway.after-answer');
    if (this.#then === 'close') this.#socket.destroySoon();
    else if (this.#then === 'handOver') this.#handOver();
  };

  #handOver(): void {
    const socket = this.#socket;
    socket.setTimeout(0);
    socket.off('data', this.#onData).off('end', this.#onEnd).off('timeout', this.#onLost).off('error', this.#onLost);
    this.#options.handOver(socket);
    socket.resume();
  }

  readonly #onEnd = (): void => this.close();
  readonly #onLost = (): void => {
    this.#socket.destroy();
  };
}

let second = 0;
let date = '';

/** RFC 9110 6.6.1. Made once a second. */
function httpDate(nowMs: number): string {
  const now = Math.floor(nowMs / 1_000);
  if (now !== second) {
    second = now;
    date = new Date(nowMs).toUTCString();
  }
  return date;
}
