import { describe, expect, it } from 'vitest';
import { bodyHash, simpleBody } from './canonical-body.js';

const simple = (body: string) => simpleBody(Buffer.from(body, 'latin1')).toString('latin1');

// RFC 6376 3.4.3, and the example of 3.4.6.
describe('the simple body', () => {
  it.each([
    ['the example of RFC 6376 3.4.6', ' C \r\nD \t E\r\n\r\n\r\n', ' C \r\nD \t E\r\n'],
    ['an empty body is a line end', '', '\r\n'],
    ['and so are empty lines alone', '\r\n\r\n\r\n', '\r\n'],
    ['empty lines at the end do not count', 'a\r\n\r\n\r\n', 'a\r\n'],
    ['lines of white space do', 'a\r\n \t \r\n\r\n', 'a\r\n \t \r\n'],
    ['empty lines between others stay', '\r\na\r\n\r\n\r\nb\r\n', '\r\na\r\n\r\n\r\nb\r\n'],
    ['a last line without CRLF gets one', 'a\r\nb', 'a\r\nb\r\n'],
    ['dots at line starts are not touched', '.\r\n..a\r\n', '.\r\n..a\r\n'],
    ['control characters and high bytes are bytes', '\x00\x0b\xa0 \xff\r\n', '\x00\x0b\xa0 \xff\r\n'],
    ['a bare CR or LF ends no line', 'a\rb\n\n', 'a\rb\n\n\r\n'],
    ['a bare CR at the very end stays', 'a\r', 'a\r\r\n'],
    ['a bare LF alone stays', '\n', '\n\r\n'],
  ])('%s', (_what, body, expected) => {
    expect(simple(body)).toBe(expected);
    expect(simple(expected)).toBe(expected);
  });

  it('of no bytes has the hash that RFC 6376 3.4.3 prints', () => {
    expect(bodyHash(Buffer.alloc(0))).toBe('frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=');
  });
});
