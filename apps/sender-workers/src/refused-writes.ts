import { type Logger, startAtZero } from '@postloop/service-kit';
import { Counter, type Registry } from 'prom-client';

/** A write of a sender that is a compare-and-set on its attempt ID. */
export type RefusedWrite = 'lease' | 'take_off' | 'answer';

const SAYS: Record<RefusedWrite, string> = {
  lease: 'the lease is lost: another sender has this batch, or the mailing was paused or cancelled',
  take_off: 'mails stay here: another sender has their batch, or the mailing was paused or cancelled',
  answer: 'answers came too late: what became of these mails was decided meanwhile',
};

/** Tells and counts what the database refused, so that a sender that fell silent and woke up again can be seen (spec 5). */
export function refusedWrites(metrics: Registry, log: Logger): (write: RefusedWrite, count: number) => void {
  const counter = new Counter({
    name: 'postloop_refused_writes_total',
    help: 'Writes for a batch or mail that this sender no longer held',
    labelNames: ['write'],
    registers: [metrics],
  });
  startAtZero(counter, 'write', Object.keys(SAYS));
  return (write, count) => {
    if (count <= 0) return;
    counter.inc({ write }, count);
    log.warn({ write, count }, SAYS[write]);
  };
}
