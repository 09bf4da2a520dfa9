import { addressProblem } from './address.js';
import { ByteWriter } from './byte-writer.js';
import { Language } from './language.js';
import {
  type Attachment,
  filePart,
  MailParts,
  PageParts,
  type Picture,
  picturePart,
  safeAttachment,
} from './mail-parts.js';
import { currentProgram, type StoredMail, UNSUBSCRIBE_ORDINAL } from './mail-program.js';
import { AFTER_HTML, ALTERNATIVE_TYPE, BEFORE_HTML, BEFORE_TEXT, contentType, writeContent } from './mime-structure.js';
import { withoutPixel } from './pixel.js';
import { prepareBody, prepareText } from './render-body.js';
import { type FieldValues, NO_DATA, type RenderData } from './render-data.js';
import { RenderError } from './render-error.js';
import { type HeaderTexts, prepareHeaders, prepareHeaderTexts } from './render-headers.js';
import { LINK_PATHS, MailLinks, planLinks } from './render-links.js';
import { checkedPublicUrl, type RendererOptions } from './render-options.js';
import { type MailingScope, RenderScope } from './render-scope.js';
import { signTokens, type TokenRequest } from './token.js';

/** Whom a mail is for. */
export interface MailRecipient {
  /** ID of the mailing recipient. */
  id: bigint;
  email: string;
  fields: FieldValues;
}

export interface RenderedMail {
  /** With its angle brackets. */
  messageId: string;
  envelopeFrom: string;
  envelopeTo: string;
  /**
   * The whole message: lines end with CRLF, none starts with a dot, so it can follow DATA as it is. It lies in the writer that
   * was given, until that is used again: a copy and its memory would cost a fifth of what sending costs.
   */
  data: Buffer;
}

/** A mail before anything in it is encoded, for a composer that does all of that itself. */
export interface UnencodedMail extends Omit<RenderedMail, 'data'>, HeaderTexts {
  /** Lines end with LF. */
  text: string;
  html: string;
  /** The HTML shows them as `cid:` URLs. */
  pictures: readonly Picture[];
  files: readonly Attachment[];
}

export interface Renderer {
  /** @throws RenderError when there can be no mail for this recipient */
  render(recipient: MailRecipient, date: Date, data?: RenderData, writer?: ByteWriter): RenderedMail;
  /** @throws RenderError as `render` does */
  renderUnencoded(recipient: MailRecipient, data?: RenderData): UnencodedMail;
  /** The HTML of the mail as a page: with the same links, without the pixel. @throws RenderError */
  renderPage(recipient: Omit<MailRecipient, 'email'>, data?: RenderData): string;
}

/** The tokens that are no links stand first in the list of signed tokens. */
const ADDRESS_TOKENS: TokenRequest[] = [
  { purpose: 'returnPath', ordinal: 0 },
  { purpose: 'messageId', ordinal: 0 },
];

/**
 * Prepares the mails of one mailing: what is the same in all of them is encoded once.
 * @throws RangeError for options that cannot stand in a header, Error for a program of another version
 */
export function createRenderer(stored: StoredMail, options: RendererOptions): Renderer {
  const compiled = currentProgram(stored);
  const { booleanFields, settings, needs } = compiled;
  const publicUrl = checkedPublicUrl(options);
  const { keyring, mailingId, returnPathDomain, attachments = [] } = options;
  const mailing: MailingScope = { language: new Language(settings), settings, booleanFields };
  const plan = planLinks(compiled.links);
  const requests = [...ADDRESS_TOKENS, ...plan.requests];
  const tokenIndex = new Map(plan.requests.map(({ ordinal }, i) => [ordinal, i + ADDRESS_TOKENS.length]));
  const writeHeaders = prepareHeaders(compiled, options);
  const ofPart = (part: 'html' | 'text') => ({ part, segments: compiled[part], links: plan, publicUrl });
  const writeText = prepareBody(ofPart('text'));
  const writeHtml = prepareBody(ofPart('html'));
  const headerTexts = prepareHeaderTexts(compiled, options);
  const textOf = prepareText(ofPart('text'));
  const htmlOf = prepareText(ofPart('html'));
  const pageOf = prepareText({ ...ofPart('html'), segments: withoutPixel(compiled.html) });
  const files = attachments.map(filePart);
  const hasParts = files.length > 0 || needs.content.some(({ kind }) => kind === 'picture' || kind === 'attachment');
  const linksOf = (recipientId: bigint) => {
    const tokens = signTokens(keyring, mailingId, recipientId, requests);
    return { tokens, links: new MailLinks({ plan, keyring, publicUrl, mailingId, recipientId, tokens }, tokenIndex) };
  };
  /** What stands in a mail whatever its content. @throws RenderError */
  const begin = ({ id, email, fields }: MailRecipient, data: RenderData) => {
    const problem = addressProblem(email);
    if (problem) throw new RenderError(`The address ${problem}.`);
    const { tokens, links } = linksOf(id);
    const [returnPathToken = '', messageIdToken = ''] = tokens;
    const returnPath = `${returnPathToken}@${returnPathDomain}`;
    const messageId = `${messageIdToken}@${returnPathDomain}`;
    const parts = new MailParts(messageId);
    const unsubscribeToken = links.token(UNSUBSCRIBE_ORDINAL);
    return {
      links,
      parts,
      scope: () => new RenderScope(mailing, fields, data, parts),
      returnPath,
      email,
      messageId: `<${messageId}>`,
      unsubscribeUrl: publicUrl + LINK_PATHS.unsubscribe + unsubscribeToken,
      // The return path says for whom; an address of one's own needs the token.
      unsubscribeMailto: options.listUnsubscribeMailto
        ? `mailto:${options.listUnsubscribeMailto}?subject=unsubscribe%20${unsubscribeToken}`
        : `mailto:${returnPath}?subject=unsubscribe`,
    };
  };

  return {
    render(recipient, date, data = NO_DATA, writer = new ByteWriter()) {
      const mail = begin(recipient, data);
      const { links, parts, scope } = mail;
      writer.reset();
      if (!hasParts) {
        writer.writeAscii(writeHeaders(mail, date, ALTERNATIVE_TYPE));
        writer.writeBytes(BEFORE_TEXT);
        writeText(writer, scope(), links);
        writer.writeBytes(BEFORE_HTML);
        writeHtml(writer, scope(), links);
        writer.writeBytes(AFTER_HTML);
      } else {
        const written = (write: typeof writeText) => {
          writer.reset();
          write(writer, scope(), links);
          return writer.take();
        };
        const content = { text: written(writeText), html: written(writeHtml) };
        const all = {
          ...content,
          pictures: parts.pictures.map(picturePart),
          files: [...files, ...parts.files.map(filePart)],
        };
        writer.reset();
        writer.writeAscii(writeHeaders(mail, date, contentType(all)));
        writeContent(writer, all);
      }
      const { messageId, returnPath, email } = mail;
      return { messageId, envelopeFrom: returnPath, envelopeTo: email, data: writer.view() };
    },

    renderUnencoded(recipient, data = NO_DATA) {
      const mail = begin(recipient, data);
      const { links, parts, scope, messageId, returnPath, email } = mail;
      return {
        messageId,
        envelopeFrom: returnPath,
        envelopeTo: email,
        ...headerTexts(mail),
        text: textOf(scope(), links),
        html: htmlOf(scope(), links),
        pictures: parts.pictures,
        files: [...attachments, ...parts.files].map(safeAttachment),
      };
    },

    renderPage({ id, fields }, data = NO_DATA) {
      return pageOf(new RenderScope(mailing, fields, data, new PageParts()), linksOf(id).links);
    },
  };
}
