import type { Settlement } from '@postloop/db';
import { describeSpan, withSpan } from '@postloop/service-kit';
import type { Departure } from './dispatcher.js';
import type { MailLoad } from './send-batch.js';

/**
 * The span of one mail, from its take-off to the server's answer. It belongs to the batch, wherever the connection's loop was
 * started. IDs and codes only: no address, no content, and not the server's words, which quote addresses.
 */
export function traceMail(
  { attempt, load }: Departure<MailLoad>,
  deliver: () => Promise<Settlement>,
): Promise<Settlement> {
  const attributes = {
    'postloop.mailing': attempt.mailingId,
    'postloop.recipient': attempt.recipientId,
    'postloop.line': load.recipient.line,
  };
  return withSpan('smtp.send', { kind: 'client', parent: load.trace, attributes }, async () => {
    const settlement = await deliver();
    describeSpan({ 'postloop.outcome': settlement.status, 'smtp.response.code': settlement.smtpCode });
    return settlement;
  });
}
