import {
  type Attachment,
  compileMail,
  createKeyring,
  createRenderer,
  NO_DATA,
  type Renderer,
} from '@postloop/mail-domain';
import fc from 'fast-check';

export const DATE = new Date('2026-11-21T07:05:09Z');
const PICTURE = 'https://c.example/a.png';
const PDF = 'https://c.example/Rechnung%20M%C3%A4rz.pdf';
const FIELDS = ['Name', 'Link', 'Reply', 'Picture', 'File'];
const keyring = createKeyring({ keys: [{ id: 1, secret: Buffer.alloc(32, 7) }], current: 1 });

const bytes = (length: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 7) % 256));
const SERVER = new Map([
  [PICTURE, { bytes: bytes(5_000), mediaType: 'image/png', charset: null }],
  [PDF, { bytes: bytes(100), mediaType: 'application/pdf', charset: null }],
]);
export const data = { ...NO_DATA, content: (url: string) => SERVER.get(url) };

/** Values with everything that has a meaning somewhere on the way of a mail. */
const value = fc.oneof(
  fc.constantFrom(
    null,
    '',
    'Jürgen Größe',
    '👩‍👩‍👧 Ada 🎉',
    'a\r\nBcc: all@example.com\r\n\r\n<b>',
    '.',
    '.\n.\r\n..\n...',
    'a\r\n.\r\nMAIL FROM:<x@y.example>',
    'From here\nFrom there',
    'x'.repeat(3_000),
    'ü'.repeat(1_500),
    `${'wörter und mehr '.repeat(200)}`,
    'ends with blanks  \t \n and goes on \t\n',
    'a=b =3D =\n==',
    '=?UTF-8?B?PGI+?= =?x?Q?y?=',
    'a\rb\nc\r\nd\n\n\n',
    '"quoted", <angles> & \\ back; comma, (comment)',
    '\ud800 lone \udc00',
    'a\0b\x07\x7f',
    '\u202egnp.exe\u2028line',
    `${'.'.repeat(80)}\n${'. '.repeat(60)}`,
    `${'x'.repeat(73)}.${'y'.repeat(74)}.z`,
  ),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc
    .array(fc.constantFrom('.', ' ', '\n', '\r\n', '=', 'é', 'F', 'From ', '\t', '😀'), { maxLength: 200 })
    .map((all) => all.join('')),
);

const HTML =
  '<body>\n.dot\n<p title="{{ Name }}">{{ Name }}</p><a href="https://shop.example/?q={{ Name }}">Größe</a> <a href="{{ Link }}">own</a>\n{{ Name }}</body>';
const TEXT = '{{ Name }}\n.\nGrüße {{ Name }} \n{{ unsubscribe_url }} {{ Link }}';

const attachment = fc.record<Attachment>({
  name: fc.oneof(fc.constantFrom('Preisliste März.pdf', 'a (1).txt', '../x"y\r\nz', ''), fc.string({ maxLength: 150 })),
  mediaType: fc.constantFrom('application/pdf', 'text/plain', 'text/csv', 'message/rfc822', 'no type'),
  bytes: fc.uint8Array({ maxLength: 400 }).map((all) => Buffer.from(all)),
});

const mail = fc.record({
  name: value,
  link: fc.oneof(fc.constantFrom(null, 'https://own.example/?a=1&b=ü', 'javascript:alert(1)'), fc.webUrl()),
  subject: fc.constantFrom('', 'News', 'Grüße, {{ Name }}!', '{{ Name }}', `${'long words '.repeat(30)}{{ Name }}`),
  fromName: fc.constantFrom('', 'Shop', 'Shop "Größe", Inc.', '{{ Name }} GmbH', '{{ Name }}'),
  replyTo: fc.constantFrom(null, '{{ Reply }}', 'reply@example.com'),
  email: fc.constantFrom(
    'ann@example.org',
    "o'neil+tag=x@sub.example.org",
    `${'a'.repeat(64)}@${'b'.repeat(60)}.example`,
  ),
  text: fc.constantFrom(null, '', TEXT),
  html: fc.constantFrom(HTML, `${HTML}<img src="{{ Picture | picture }}">{{ File | attachment }}`, '{{ Name }}'),
  attachments: fc.oneof(fc.constant([]), fc.array(attachment, { maxLength: 3 })),
  id: fc.bigInt({ min: 1_000n, max: 2n ** 62n }),
});

type Mail = typeof mail extends fc.Arbitrary<infer M> ? M : never;

function rendererOf({ subject, fromName, replyTo, text, html, attachments }: Mail): Renderer {
  const source = { fields: FIELDS, subject, fromName, fromAddress: 'shop@example.com', replyTo, html, text };
  return createRenderer(compileMail({ ...source, linkTracking: true }), {
    mailingId: 2n ** 53n + 1n,
    clientId: 7n,
    keyring,
    publicUrl: 'https://track.example.com',
    returnPathDomain: 'bounce.example.com',
    listId: '7.lists.example.com',
    attachments,
  });
}

const recipientOf = ({ id, email, name, link }: Mail) => ({
  id,
  email,
  fields: [name, link, 'answers@example.com', PICTURE, PDF],
});

/** Mails of everything that has a meaning somewhere on their way; the same ones each time. */
export function randomMails(numRuns: number) {
  return fc.sample(mail, { seed: 7, numRuns }).map((one) => ({
    value: one.name,
    renderer: rendererOf(one),
    recipient: recipientOf(one),
  }));
}
