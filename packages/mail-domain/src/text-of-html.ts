import { convert, type TextOptions } from 'html-to-text';

const HEADINGS = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'];

/** Not wrapped: quoted-printable breaks long lines for the transport, and the reader's client wraps them. */
const TEXT_OPTIONS: TextOptions = {
  wordwrap: false,
  formatters: { alternative: (element, _walk, builder) => builder.addInline(element.attribs.alt ?? '') },
  selectors: [
    // Angle brackets mark a URL in text (RFC 3986 appendix C).
    { selector: 'a', options: { linkBrackets: ['<', '>'], hideLinkHrefIfSameAsText: true } },
    { selector: 'img', format: 'alternative' },
    ...HEADINGS.map((selector) => ({ selector, options: { uppercase: false } })),
    { selector: '[style*="display:none"]', format: 'skip' },
    { selector: '[style*="display: none"]', format: 'skip' },
  ],
};

/** The text of HTML, as a person reads it without pictures. */
export function textOfHtml(html: string): string {
  return convert(html, TEXT_OPTIONS);
}
