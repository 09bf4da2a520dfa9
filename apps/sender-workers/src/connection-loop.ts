import { describeError } from '@postloop/contracts';
import type { Settlement } from '@postloop/db';
import { ByteWriter, type RenderedMail } from '@postloop/mail-domain';
import { tracingOn } from '@postloop/service-kit';
import type { Counter } from 'prom-client';
import type { Connection } from './connection.js';
import type { DeliveryBook } from './delivery-book.js';
import type { Departure, Dispatcher } from './dispatcher.js';
import type { MailSession } from './mail-session.js';
import type { MailLoad } from './send-batch.js';
import { renderFailure, settlementOf } from './settlement.js';
import { traceMail } from './trace-mail.js';

export interface LoopContext {
  dispatcher: Dispatcher<MailLoad>;
  book: DeliveryBook;
  retrySchedule: readonly number[];
  mails: Counter<'status'>;
}

/** Mails on a connection at a time: one whose answer is awaited, and the next, whose envelope goes out with it. */
export const PLACES_PER_CONNECTION = 2;

/** One place on a connection: asks for a mail when it can send one at once, until the dispatcher closes. */
export async function runPlace(connection: Connection, context: LoopContext): Promise<void> {
  let recorded = Promise.resolve();
  const writer = new ByteWriter();
  for (;;) {
    // First the connection, then the mail: nothing is in flight while the server cannot be reached.
    const session = await connection.session();
    if (!session) break;
    connection.rest();
    const departure = await context.dispatcher.next(() => session.isOpen);
    if (!departure) {
      if (!(await context.dispatcher.work())) break;
      continue;
    }
    connection.hold();
    const delivery = () => deliver(session, departure, writer, context.retrySchedule);
    const settlement = await (tracingOn() ? traceMail(departure, delivery) : delivery());
    connection.release();
    context.mails.inc({ status: settlement.status });
    // Not awaited: the next mail takes off in the commit that records the answer, so that what a crash leaves undecided is no
    // more than what the places hold.
    recorded = context.book.record(settlement).then(() => {
      context.dispatcher.landed(departure);
      departure.load.settled();
    });
  }
  await recorded;
}

async function deliver(
  session: MailSession,
  departure: Departure<MailLoad>,
  writer: ByteWriter,
  retrySchedule: readonly number[],
): Promise<Settlement> {
  const { attempt, load } = departure;
  const { recipient, renderer, data, sign } = load;
  let mail: RenderedMail;
  let signatures: Buffer;
  try {
    const date = new Date();
    mail = await renderer.render(recipient, date, data, writer);
    // Out of this thread; meanwhile the connection's other mail is on the wire.
    signatures = await sign(mail.data, date);
  } catch (error) {
    return renderFailure(attempt, describeError(error));
  }
  return settlementOf(attempt, recipient.attempts, await session.send(mail, signatures), retrySchedule);
}
