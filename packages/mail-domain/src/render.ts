import { addressProblem } from './address.js';
import { ByteWriter } from './byte-writer.js';
import { Language } from './language.js';
import { filePart, MailParts, PageParts } from './mail-parts.js';
import { currentProgram, type StoredMail, UNSUBSCRIBE_ORDINAL } from './mail-program.js';
import { AFTER_HTML, ALTERNATIVE_TYPE, BEFORE_HTML, BEFORE_TEXT, contentType, writeContent } from './mime-structure.js';
import { withoutPixel } from './pixel.js';
import { prepareBody, prepareText } from './render-body.js';
import { type FieldValues, NO_DATA, type RenderData } from './render-data.js';
import { RenderError } from './render-error.js';
import { prepareHeaders } from './render-headers.js';
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
  /** The whole message: lines end with CRLF, none starts with a dot, so it can follow DATA as it is. */
  data: Buffer;
}

export interface Renderer {
  /** @throws RenderError when there can be no mail for this recipient */
  render(recipient: MailRecipient, date: Date, data?: RenderData): RenderedMail;
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
  const pageOf = prepareText({ ...ofPart('html'), segments: withoutPixel(compiled.html) });
  const files = attachments.map(filePart);
  const hasParts = files.length > 0 || needs.content.some(({ kind }) => kind === 'picture' || kind === 'attachment');
  const writer = new ByteWriter();
  const linksOf = (recipientId: bigint) => {
    const tokens = signTokens(keyring, mailingId, recipientId, requests);
    return { tokens, links: new MailLinks({ plan, keyring, publicUrl, mailingId, recipientId, tokens }, tokenIndex) };
  };

  return {
    render({ id, email, fields }, date, data = NO_DATA) {
      const problem = addressProblem(email);
      if (problem) throw new RenderError(`The address ${problem}.`);
      const { tokens, links } = linksOf(id);
      const [returnPathToken = '', messageIdToken = ''] = tokens;
      const returnPath = `${returnPathToken}@${returnPathDomain}`;
      const messageId = `${messageIdToken}@${returnPathDomain}`;
      const parts = new MailParts(messageId);
      const scope = () => new RenderScope(mailing, fields, data, parts);
      const unsubscribeToken = links.token(UNSUBSCRIBE_ORDINAL);
      const headers = (type: string) =>
        writeHeaders({
          email,
          scope,
          date,
          messageId: `<${messageId}>`,
          unsubscribeUrl: publicUrl + LINK_PATHS.unsubscribe + unsubscribeToken,
          // The return path says for whom; an address of one's own needs the token.
          unsubscribeMailto: options.listUnsubscribeMailto
            ? `mailto:${options.listUnsubscribeMailto}?subject=unsubscribe%20${unsubscribeToken}`
            : `mailto:${returnPath}?subject=unsubscribe`,
          contentType: type,
        });
      writer.reset();
      if (!hasParts) {
        writer.writeAscii(headers(ALTERNATIVE_TYPE));
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
        const content = { text: written(writeText), html: written(writeHtml), pictures: parts.pictures };
        const all = { ...content, files: [...files, ...parts.files] };
        writer.reset();
        writer.writeAscii(headers(contentType(all)));
        writeContent(writer, all);
      }
      return { messageId: `<${messageId}>`, envelopeFrom: returnPath, envelopeTo: email, data: writer.take() };
    },

    renderPage({ id, fields }, data = NO_DATA) {
      return pageOf(new RenderScope(mailing, fields, data, new PageParts()), linksOf(id).links);
    },
  };
}
