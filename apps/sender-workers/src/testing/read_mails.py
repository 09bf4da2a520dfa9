# Reads mails as Python's email package does: one in base64 per line of stdin, what is in it as JSON per line of stdout.
import email.policy
import json
import sys
from base64 import b64decode, b64encode
from email.header import decode_header, make_header
from email.utils import getaddresses

ADDRESSES = {'from', 'to', 'reply-to'}


def phrase(name, raw):
    # No encoded words in quoted strings (RFC 2047 section 5). The policy's own reader leaves blanks between encoded words.
    text = name if raw.lstrip().startswith('"') else str(make_header(decode_header(name)))
    return ' '.join(text.split())


def header(name, value, folded):
    if name.lower() in ADDRESSES:
        raw = folded.replace('\r\n', '')
        return [[phrase(shown, raw), address] for shown, address in getaddresses([raw])]
    # Where a line is folded, white space may lead.
    return str(value).strip()


def part(node):
    if node.is_multipart():
        return {'type': node.get_content_type(), 'parts': [part(child) for child in node.iter_parts()]}
    return {
        'type': node.get_content_type(),
        'charset': node.get_content_charset(),
        'contentId': (node['Content-ID'] or '').strip(),
        'disposition': node.get_content_disposition(),
        'fileName': node.get_filename(),
        'content': b64encode(node.get_payload(decode=True)).decode(),
    }


def defects(message):
    return [type(found).__name__ for node in message.walk() for found in node.defects]


for line in sys.stdin:
    mail = email.message_from_bytes(b64decode(line), policy=email.policy.default)
    fields = zip(mail.items(), mail.raw_items())
    headers = {name.lower(): header(name, value, raw) for (name, value), (_, raw) in fields if name != 'Content-Type'}
    print(json.dumps({'headers': headers, 'body': part(mail), 'defects': defects(mail)}))
