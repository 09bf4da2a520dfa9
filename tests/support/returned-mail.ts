/** What servers and people send back, written for these tests. `to` is where it goes: a return path or a sender address. */

const lines = (...all: string[]): string => all.join('\r\n');

/** RFC 3464. */
export function deliveryStatus(to: string, recipient: string, status: string, said: string): string {
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
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    'Action: failed',
    `Status: ${status}`,
    `Diagnostic-Code: smtp; ${said}`,
    '',
    '--b1--',
  );
}

/** RFC 5965. */
export function complaint(to: string, recipient: string): string {
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
    'Feedback-Type: abuse',
    'User-Agent: Provider/1.0',
    'Version: 1',
    `Original-Rcpt-To: <${recipient}>`,
    '',
    '--b2--',
  );
}

/** By a person, or with RFC 3834's field by a machine. */
export function answer(from: string, to: string, fields: Record<string, string> = {}): string {
  const all = { From: `<${from}>`, To: `<${to}>`, Subject: 'Re: News', ...fields };
  return lines(...Object.entries(all).map(([name, value]) => `${name}: ${value}`), '', 'Thank you!');
}
