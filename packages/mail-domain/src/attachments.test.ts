import { describe, expect, it } from 'vitest';
import { type Attachment, NO_DATA } from './index.js';
import { bytesOf, receive, send } from './testing/sent-mail.js';

const file = (name: string, mediaType = 'application/pdf', bytes = Buffer.from('%PDF-1.7\n.\n')): Attachment => ({
  name,
  mediaType,
  bytes,
});

const receiveWith = (...attachments: Attachment[]) => receive({ html: '<p>Grüße</p>' }, [], { attachments });

describe('attachments', () => {
  it('follow text and HTML, byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7) % 256));
    const mail = await receiveWith(
      file('a.bin', 'application/x-thing', bytes),
      file('empty.txt', 'text/plain', Buffer.alloc(0)),
    );
    expect(mail.text).toBe('Grüße\n');
    expect(mail.html).toContain('<p>Grüße</p>');
    expect(mail.attachments).toMatchObject([
      { filename: 'a.bin', mimeType: 'application/x-thing', disposition: 'attachment' },
      { filename: 'empty.txt', mimeType: 'text/plain', disposition: 'attachment' },
    ]);
    expect(bytesOf(mail.attachments[0]).equals(bytes)).toBe(true);
  });

  it('leave a mail without any as it was', () => {
    const change = { html: '<p>Grüße {{ First name }}</p>' };
    expect(send(change, [null, 'Ann'], { attachments: [] }).data).toEqual(send(change, [null, 'Ann']).data);
  });

  it.each([
    ['Preisliste März 2026.pdf', 'Preisliste März 2026.pdf'],
    ['a (1)+b=c.pdf', 'a (1)+b=c.pdf'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Windows\\x.exe', 'x.exe'],
    ['a\r\nBcc: all@example.com.pdf', 'aBcc_ all@example.com.pdf'],
    ['a"; filename="evil.exe', 'a__ filename=_evil.exe'],
    ['invoice\u202efdp.exe', 'invoicefdp.exe'],
    ['..hidden.', 'hidden'],
    ['\u0000\u200b', 'attachment.pdf'],
    ['', 'attachment.pdf'],
    ['\ud800x.pdf', 'x.pdf'],
    [`${'ü'.repeat(300)}.pdf`, `${'ü'.repeat(116)}.pdf`],
    [`${'😀'.repeat(130)}.pdf`, `${'😀'.repeat(116)}.pdf`],
    [`x.${'y'.repeat(200)}`, `x.${'y'.repeat(118)}`],
    ["it's 100%.pdf", "it's 100_.pdf"],
  ])('have names that no header and no file system trips over: %j', async (name, expected) => {
    const mail = await receiveWith(file(name));
    expect(mail.attachments.map(({ filename }) => filename)).toEqual([expected]);
    expect(mail.headers).toHaveLength(12);
  });

  it.each(['text/html\r\nX-Evil: 1', 'multipart/mixed', 'message/rfc822', 'nonsense', ''])(
    'have a type that is safe to write: %j',
    async (type) => {
      const mail = await receiveWith(file('x', type));
      expect(mail.attachments).toMatchObject([{ mimeType: 'application/octet-stream' }]);
    },
  );

  it('and pictures stand in one mail', async () => {
    const data = { ...NO_DATA, content: () => ({ bytes: Buffer.from('x'), mediaType: 'image/png', charset: null }) };
    const html = '<img src="{{ Link | picture }}">{{ Link | attachment }}';
    const mail = await receive({ html }, [null, null, 'https://c.example/x'], { attachments: [file('a.pdf')], data });
    expect(mail.attachments.map(({ disposition, mimeType }) => [disposition, mimeType])).toEqual([
      ['inline', 'image/png'],
      ['attachment', 'application/pdf'],
      ['attachment', 'image/png'],
    ]);
    expect(mail.attachments[2]?.filename).toBe('x');
  });
});
