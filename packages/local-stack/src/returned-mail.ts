/** What a recipient's server or the recipient sends back. `to` is where it goes: a return path or a sender address. */

const lines = (...all: string[]): string => all.join('\r\n');

/** One recipient of a delivery status notification. */
export interface FailedRecipient {
  recipient: string;
  /** RFC 3463. */
  status: string;
  /** What the server said. */
  diagnostic: string;
  /** RFC 3464 2.3.3; `failed` by default. */
  action?: string;
}

/** A delivery status notification (RFC 3464) with the returned header. */
export function deliveryStatus(to: string, failed: FailedRecipient[], originalMessageId = '<none@x.example>'): string {
  return lines(
    'From: Mail Delivery System <MAILER-DAEMON@mx.example>',
    `To: <${to}>`,
    'Subject: Undelivered Mail Returned to Sender',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"',
    '',
    '--b1',
    'Content-Type: text/plain',
    '',
    'Your message could not be delivered.',
    '--b1',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example',
    ...failed.flatMap(({ recipient, status, diagnostic, action = 'failed' }) => [
      '',
      `Final-Recipient: rfc822; ${recipient}`,
      `Action: ${action}`,
      `Status: ${status}`,
      `Diagnostic-Code: smtp; ${diagnostic}`,
    ]),
    '',
    '--b1',
    'Content-Type: text/rfc822-headers',
    '',
    `Message-ID: ${originalMessageId}`,
    'Subject: News',
    '',
    '--b1--',
  );
}

/** A feedback report (RFC 5965). */
export function complaint(to: string, recipient: string, feedbackType = 'abuse'): string {
  return lines(
    'From: <feedback@provider.example>',
    `To: <${to}>`,
    'Subject: Abuse report',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=feedback-report; boundary="b2"',
    '',
    '--b2',
    'Content-Type: text/plain',
    '',
    'This is an email abuse report.',
    '--b2',
    'Content-Type: message/feedback-report',
    '',
    `Feedback-Type: ${feedbackType}`,
    'User-Agent: Provider/1.0',
    'Version: 1',
    `Original-Rcpt-To: <${recipient}>`,
    '',
    '--b2',
    'Content-Type: message/rfc822',
    '',
    'From: <news@shop.example>',
    'Subject: News',
    '',
    'News',
    '--b2--',
  );
}

export interface Answer {
  from: string;
  to: string;
  subject?: string;
  inReplyTo?: string;
  /** By a machine: with RFC 3834's field. */
  automatic?: boolean;
  text?: string;
}

/** What a person writes, or a machine for a person who is away. */
export function answer({
  from,
  to,
  subject = 'Re: News',
  inReplyTo,
  automatic = false,
  text = 'Thank you!',
}: Answer): string {
  return lines(
    `From: <${from}>`,
    `To: <${to}>`,
    `Subject: ${subject}`,
    'Date: Wed, 01 Jul 2026 10:00:00 +0000',
    ...(inReplyTo === undefined ? [] : [`In-Reply-To: ${inReplyTo}`]),
    ...(automatic ? ['Auto-Submitted: auto-replied'] : []),
    '',
    text,
  );
}
