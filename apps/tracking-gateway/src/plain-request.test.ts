import { describe, expect, it } from 'vitest';
import { readPlainRequest } from './plain-request.js';

const HEAD = 'GET /o/Tok-en_1 HTTP/1.1\r\nHost: t.example\r\n';
const read = (text: string) => readPlainRequest(Buffer.from(text, 'latin1'));

it('is what browsers and image proxies send', () => {
  const fields = 'Accept: image/*;q=0.8\r\nConnection: Keep-Alive\r\nuser-agent:  B\xfcro (x; "y") \r\nCookie: \r\n';
  expect(read(`${HEAD}${fields}\r\n`)).toEqual({
    letter: 'o',
    token: 'Tok-en_1',
    sealed: undefined,
    visit: { method: 'GET', headers: { 'user-agent': '  B\xfcro (x; "y") ' } },
  });
  expect(read('GET /c/a/b- HTTP/1.1\r\nHost:\r\n\r\n')).toMatchObject({ letter: 'c', token: 'a', sealed: 'b-' });
});

describe('what may mean anything else is left to a real HTTP server', () => {
  it.each([
    ['another method', 'POST /o/a HTTP/1.1\r\nHost: t\r\n\r\n'],
    ['HEAD', 'HEAD /o/a HTTP/1.1\r\nHost: t\r\n\r\n'],
    ['an old version', 'GET /o/a HTTP/1.0\r\nHost: t\r\n\r\n'],
    ['a query', 'GET /o/a?b HTTP/1.1\r\nHost: t\r\n\r\n'],
    ['an absolute URL', 'GET http://t/o/a HTTP/1.1\r\nHost: t\r\n\r\n'],
    ['percent signs', 'GET /o/%61 HTTP/1.1\r\nHost: t\r\n\r\n'],
    ['no Host', 'GET /o/a HTTP/1.1\r\nAccept: *\r\n\r\n'],
    ['no fields', 'GET /o/a HTTP/1.1\r\n\r\n'],
    ['a part of a request', HEAD],
    ['a request and the start of the next', `${HEAD}\r\nG`],
    ['two requests', `${HEAD}\r\n${HEAD}\r\n`],
    ['an empty line in front', `\r\n${HEAD}\r\n`],
    ['a length', `${HEAD}Content-Length: 0\r\n\r\n`],
    ['a length in other letters', `${HEAD}cONTENT-lENGTH: 5\r\n\r\n`],
    ['a coding', `${HEAD}Transfer-Encoding: chunked\r\n\r\n`],
    ['an expectation', `${HEAD}Expect: 100-continue\r\n\r\n`],
    ['an upgrade', `${HEAD}Upgrade: h2c\r\n\r\n`],
    ['the end of the connection', `${HEAD}Connection: close\r\n\r\n`],
    ['more than keep-alive', `${HEAD}Connection: keep-alive, upgrade\r\n\r\n`],
    ['something for proxies', `${HEAD}Proxy-Connection: close\r\n\r\n`],
    ['a look ahead', `${HEAD}Sec-Purpose: prefetch\r\n\r\n`],
    ['a folded line', `${HEAD}A: b\r\n c\r\n\r\n`],
    ['a space before the colon', `${HEAD}Content-Length : 5\r\n\r\n`],
    ['a line without colon', `${HEAD}Accept\r\n\r\n`],
    ['a line without name', `${HEAD}: a\r\n\r\n`],
    ['a bare LF', `${HEAD}A: b\nContent-Length: 5\r\n\r\n`],
    ['a bare CR', `${HEAD}A: b\rContent-Length: 5\r\n\r\n`],
    ['a zero byte', `${HEAD}A: \0\r\n\r\n`],
    ['a control character', `${HEAD}A: \x7f\r\n\r\n`],
    ['more than 4,096 bytes', `${HEAD}A: ${'b'.repeat(4_096)}\r\n\r\n`],
  ])('%s', (_what, text) => {
    expect(read(text)).toBeUndefined();
  });
});
