import { buffer } from 'node:stream/consumers';
import type {
  ByteWriter,
  MailRecipient,
  RenderData,
  RenderedMail,
  Renderer,
  UnencodedMail,
} from '@postloop/mail-domain';
import MailComposer from 'nodemailer/lib/mail-composer';
import { encodeWord } from 'nodemailer/lib/mime-funcs';

/** What makes the mails of one mailing. */
export interface MailRenderer {
  /** @throws RenderError when there can be no mail for this recipient */
  render(
    recipient: MailRecipient,
    date: Date,
    data: RenderData,
    writer: ByteWriter,
  ): RenderedMail | Promise<RenderedMail>;
}

/** To fall back to: nodemailer encodes everything in every mail. */
export function composedByNodemailer(renderer: Pick<Renderer, 'renderUnencoded'>): MailRenderer {
  return {
    async render(recipient, date, data) {
      const mail = renderer.renderUnencoded(recipient, data);
      const { messageId, envelopeFrom, envelopeTo } = mail;
      return { messageId, envelopeFrom, envelopeTo, data: await compose(mail, date) };
    },
  };
}

/**
 * nodemailer writes ASCII as it is, but a reader decodes what looks like an encoded word (RFC 2047), and a server may refuse a
 * long line. In the From name it leaves us no way to do better.
 */
const needsEncoding = (text: string): boolean => /=\?|\S{76}/.test(text);
/** Characters of an encoded word, as nodemailer cuts them itself. */
const MAX_WORD = 52;

/** With two columns to spare for a dot that starts a line. */
const LINE_LENGTH = 74;

/** @returns bytes as those of `Renderer.render`: lines end with CRLF, none starts with a dot */
async function compose(mail: UnencodedMail, date: Date): Promise<Buffer> {
  const { messageId, from, envelopeTo, replyTo, subject, headers, text, html, pictures, files } = mail;
  const composer = new MailComposer({
    date,
    messageId,
    // As objects: they are addresses already, and nothing in them is to be read as another one.
    from,
    to: { name: '', address: envelopeTo },
    ...(replyTo === null ? {} : { replyTo: { name: '', address: replyTo } }),
    subject: needsEncoding(subject) ? encodeWord(subject, 'B', MAX_WORD) : subject,
    headers: headers.map(([key, value]) => ({ key, value })),
    text,
    html,
    attachments: [
      ...pictures.map(({ contentId, mediaType, bytes }) => ({
        cid: contentId,
        contentType: mediaType,
        content: bytes,
        filename: false as const,
      })),
      ...files.map(({ name, mediaType, bytes }) => ({ filename: name, contentType: mediaType, content: bytes })),
    ],
    encoding: 'quoted-printable',
    newline: 'win',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const message = await buffer(composer.compile().createReadStream({ lineLength: LINE_LENGTH }));
  // Only quoted-printable text has a dot at the start of a line.
  return Buffer.from(message.toString('latin1').replace(/^\./gm, '=2E'), 'latin1');
}
