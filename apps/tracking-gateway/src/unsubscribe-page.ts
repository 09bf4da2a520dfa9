import { createHash } from 'node:crypto';

const STYLE = `body{font:1.125rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}
button{font:inherit;padding:.6rem 1.4rem;border:0;border-radius:.4rem;color:#fff;background:#1f4fbf;cursor:pointer}
button:focus-visible{outline:3px solid #f2a900;outline-offset:2px}`;

/**
 * Asks for the decision and says nothing of anybody: the same bytes for every recipient. Its form posts to the page's own
 * address what a mailbox provider posts (RFC 8058), so both take one way.
 */
export const UNSUBSCRIBE_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Unsubscribe</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Unsubscribe</h1>
<p>Do you want to stop receiving these e-mails?</p>
<form method="post">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button type="submit">Unsubscribe</button>
</form>
</body>
</html>
`;

/** Nothing but the page's own style, and its form to its own origin. */
export const UNSUBSCRIBE_PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');
