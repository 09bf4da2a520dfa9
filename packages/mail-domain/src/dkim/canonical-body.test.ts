import { describe, expect, it } from 'vitest';
import { bodyHash, relaxedBody } from './canonical-body.js';

const relaxed = (body: string) => relaxedBody(Buffer.from(body, 'latin1')).toString('latin1');

// RFC 6376 3.4.4, and the example of 3.4.5.
describe('the relaxed body', () => {
  it.each([
    ['the example of RFC 6376 3.4.5', ' C \r\nD \t E\r\n\r\n\r\n', ' C\r\nD E\r\n'],
    ['an empty body stays empty', '', ''],
    ['nothing but empty lines is an empty body', '\r\n\r\n\r\n', ''],
    ['nothing but white space is one, too', ' \t\r\n\t \r\n  ', ''],
    ['empty lines at the end do not count', 'a\r\n\r\n\r\n', 'a\r\n'],
    ['nor do lines of white space there', 'a\r\n \t \r\n\r\n ', 'a\r\n'],
    ['empty lines between others stay', '\r\na\r\n\r\n\r\nb\r\n', '\r\na\r\n\r\n\r\nb\r\n'],
    ['a line of white space between others is empty', 'a\r\n \t\r\nb\r\n', 'a\r\n\r\nb\r\n'],
    ['a last line without CRLF gets one', 'a\r\nb', 'a\r\nb\r\n'],
    ['white space at line ends goes', 'a \t \r\nb\t\r\n', 'a\r\nb\r\n'],
    ['runs of it become one space, at line starts too', '\t\ta  \t b\r\n', ' a b\r\n'],
    ['dots at line starts are not touched', '.\r\n..a\r\n', '.\r\n..a\r\n'],
    ['other control characters and high bytes are bytes', '\x00\x0b\xa0 \xff\r\n', '\x00\x0b\xa0 \xff\r\n'],
    ['a bare CR or LF ends no line', 'a \rb \nc\r\r\n', 'a \rb \nc\r\r\n'],
    ['a bare CR at the very end stays', 'a\r', 'a\r\r\n'],
  ])('%s', (_what, body, expected) => {
    expect(relaxed(body)).toBe(expected);
    expect(relaxed(expected)).toBe(expected);
  });

  it('of no bytes has the hash that RFC 6376 3.4.4 prints', () => {
    expect(bodyHash(Buffer.alloc(0))).toBe('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
  });
});
