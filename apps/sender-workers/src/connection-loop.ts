import { describeError } from '@postloop/contracts';
import type { Settlement } from '@postloop/db';
import type { RenderedMail } from '@postloop/mail-domain';
import { tracingOn } from '@postloop/service-kit';
import type { Counter } from 'prom-client';
import type { Connection } from './connection.js';
import type { Departure, Dispatcher } from './dispatcher.js';
import type { MailLoad } from './send-batch.js';
import { settlementOf } from './settlement.js';
import type { Settler } from './settler.js';
import type { SmtpSession } from './smtp-session.js';
import { traceMail } from './trace-mail.js';

export interface LoopContext {
  dispatcher: Dispatcher<MailLoad>;
  settler: Settler;
  retrySchedule: readonly number[];
  mails: Counter<'status'>;
}

/** Mails on a connection at a time: one whose answer is awaited, and the next, whose envelope goes out with it. */
export const PLACES_PER_CONNECTION = 2;

/** One place on a connection: asks for a mail when it can send one at once, until the dispatcher closes. */
export async function runPlace(connection: Connection, context: LoopContext): Promise<void> {
  for (;;) {
    // First the connection, then the mail: nothing is in flight while the server cannot be reached.
    const session = await connection.session();
    if (!session) return;
    connection.rest();
    const departure = await context.dispatcher.next(() => session.isOpen);
    if (!departure) {
      if (!(await context.dispatcher.work())) return;
      continue;
    }
    connection.hold();
    const settlement = tracingOn()
      ? await traceMail(departure, () => deliver(session, departure, context.retrySchedule))
      : await deliver(session, departure, context.retrySchedule);
    connection.release();
    context.mails.inc({ status: settlement.status });
    // The place is free when the answer is recorded, not before: what a crash leaves undecided is what the places hold.
    await context.settler.record(settlement);
    context.dispatcher.landed(departure);
    departure.load.settled();
  }
}

async function deliver(
  session: SmtpSession,
  departure: Departure<MailLoad>,
  retrySchedule: readonly number[],
): Promise<Settlement> {
  const { attempt, load } = departure;
  const { recipient, renderer, data, sign } = load;
  let mail: RenderedMail;
  try {
    const date = new Date();
    const unsigned = renderer.render(recipient, date, data);
    // Out of this thread; meanwhile the connection's other mail is on the wire.
    mail = { ...unsigned, data: await sign(unsigned.data, date) };
  } catch (error) {
    const { mailingId, recipientId, attemptId } = attempt;
    return {
      mailingId,
      recipientId,
      attemptId,
      status: 'render_failed',
      smtpCode: null,
      reason: describeError(error),
      retryInMs: null,
      response: null,
    };
  }
  return settlementOf(attempt, recipient.attempts, await session.send(mail), retrySchedule);
}
