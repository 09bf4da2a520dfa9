import { addressProblem } from './address.js';
import { ByteWriter } from './byte-writer.js';
import { type CompiledLink, type CompiledMail, UNSUBSCRIBE_ORDINAL } from './mail-program.js';
import { type BodyValues, LINK_PATHS, prepareBody } from './render-body.js';
import { AFTER_PARTS, BETWEEN_PARTS, partHeaders, prepareHeaders } from './render-headers.js';
import { checkedPublicUrl, type RendererOptions } from './render-options.js';
import { type FieldValues, renderTarget } from './render-value.js';
import { MAX_TARGET_BYTES, sealTarget } from './sealed-target.js';
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
  render(recipient: MailRecipient, date: Date): RenderedMail;
}

/** There can be no mail for this recipient; others are not concerned. */
export class RenderError extends Error {
  override name = 'RenderError';
}

/** Places of the tokens that are no links, in the list of signed tokens. */
const RETURN_PATH = 0;
const MESSAGE_ID = 1;
const FIRST_LINK = 2;

/**
 * Prepares the mails of one mailing: what is the same in all of them is encoded once.
 * @throws RangeError for options that cannot stand in a header, Error for a program of another version
 */
export function createRenderer(compiled: CompiledMail, options: RendererOptions): Renderer {
  if (compiled.version !== 1) throw new Error(`a mail program of version ${compiled.version} is unknown`);
  const publicUrl = checkedPublicUrl(options);
  const { keyring, mailingId, returnPathDomain } = options;
  const { links } = compiled;
  const requests = tokenRequests(links);
  const tokenIndex = new Map(links.map((link, i) => [link.ordinal, FIRST_LINK + i]));
  const writeHeaders = prepareHeaders(compiled, options);
  const writeText = prepareBody('text', compiled.text, links, publicUrl);
  const writeHtml = prepareBody('html', compiled.html, links, publicUrl);
  const beforeText = Buffer.from(BETWEEN_PARTS.trimStart() + partHeaders('plain'));
  const beforeHtml = Buffer.from(BETWEEN_PARTS + partHeaders('html'));
  const end = Buffer.from(AFTER_PARTS);
  const writer = new ByteWriter();

  return {
    render({ id, email, fields }, date) {
      const problem = addressProblem(email);
      if (problem) throw new RenderError(`The address ${problem}.`);
      const tokens = signTokens(keyring, mailingId, id, requests);
      const token = (ordinal: number) => tokens[tokenIndex.get(ordinal) ?? -1] ?? '';
      const body: BodyValues = {
        fields,
        token,
        personalisedUrl: personaliser(compiled, options, publicUrl, token, fields),
      };
      const returnPath = `${tokens[RETURN_PATH]}@${returnPathDomain}`;
      const messageId = `<${tokens[MESSAGE_ID]}@${returnPathDomain}>`;
      const unsubscribeToken = token(UNSUBSCRIBE_ORDINAL);
      const unsubscribeUrl = publicUrl + LINK_PATHS.unsubscribe + unsubscribeToken;
      // The return path says for whom; an address of one's own needs the token.
      const unsubscribeMailto = options.listUnsubscribeMailto
        ? `mailto:${options.listUnsubscribeMailto}?subject=unsubscribe%20${unsubscribeToken}`
        : `mailto:${returnPath}?subject=unsubscribe`;
      writer.reset();
      writer.writeAscii(writeHeaders({ email, fields, date, messageId, unsubscribeUrl, unsubscribeMailto }));
      writer.writeBytes(beforeText);
      writeText(writer, body);
      writer.writeBytes(beforeHtml);
      writeHtml(writer, body);
      writer.writeBytes(end);
      return { messageId, envelopeFrom: returnPath, envelopeTo: email, data: writer.take() };
    },
  };
}

function tokenRequests(links: readonly CompiledLink[]): TokenRequest[] {
  return [
    { purpose: 'returnPath', ordinal: 0 },
    { purpose: 'messageId', ordinal: 0 },
    ...links.map(({ purpose, ordinal }) => ({ purpose, ordinal })),
  ];
}

/** URLs of the personalised links of one mail. Each is sealed once, though HTML and text may both hold it. */
function personaliser(
  { links }: CompiledMail,
  { keyring }: RendererOptions,
  publicUrl: string,
  token: (ordinal: number) => string,
  fields: FieldValues,
): (ordinal: number) => string {
  const made = new Map<number, string>();
  return (ordinal) => {
    const known = made.get(ordinal);
    if (known !== undefined) return known;
    const target = renderTarget(links.find((link) => link.ordinal === ordinal)?.target ?? [], fields);
    const fits = target !== null && Buffer.byteLength(target) <= MAX_TARGET_BYTES;
    const url = fits
      ? `${publicUrl}${LINK_PATHS.click}${token(ordinal)}/${sealTarget(keyring, token(ordinal), target)}`
      : '#';
    made.set(ordinal, url);
    return url;
  };
}
