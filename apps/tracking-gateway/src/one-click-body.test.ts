import { describe, expect, it } from 'vitest';
import { isOneClick } from './one-click-body.js';

const FORM = 'application/x-www-form-urlencoded';
// The example of RFC 8058 8.2.
const MULTIPART = [
  '--FBdA5BEefCeEa3cFA0',
  'Content-Disposition: form-data; name="List-Unsubscribe"',
  '',
  'One-Click',
  '--FBdA5BEefCeEa3cFA0--',
  '',
].join('\r\n');

describe('a one-click body', () => {
  it.each([
    [FORM, 'List-Unsubscribe=One-Click'],
    [`${FORM}; charset=UTF-8`, 'List-Unsubscribe=One-Click\r\n'],
    [undefined, 'List-Unsubscribe=One-Click'],
    [FORM, 'a=b&list-unsubscribe=one-click'],
    ['multipart/form-data; boundary=FBdA5BEefCeEa3cFA0', MULTIPART],
    ['Multipart/Form-Data; charset=utf-8; boundary="FBdA5BEefCeEa3cFA0"', MULTIPART.replaceAll('\r\n', '\n')],
  ])('is recognised: %s %j', (type, body) => expect(isOneClick(type, body)).toBe(true));

  it.each([
    [FORM, ''],
    [FORM, 'List-Unsubscribe=No'],
    [FORM, 'Unsubscribe=One-Click'],
    ['multipart/form-data', MULTIPART],
    ['multipart/form-data; boundary=other', MULTIPART],
    ['multipart/form-data; boundary=FBdA5BEefCeEa3cFA0', MULTIPART.replace('One-Click', 'Two')],
    ['application/json', '{"List-Unsubscribe":"One-Click"}'],
  ])('is nothing else: %s %j', (type, body) => expect(isOneClick(type, body)).toBe(false));
});
