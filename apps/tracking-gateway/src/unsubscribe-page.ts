import { plainPage } from './plain-page.js';

/**
 * Asks for the decision and says nothing of anybody: the same bytes for every recipient. Its form posts to the page's own
 * address what a mailbox provider posts (RFC 8058), so both take one way.
 */
export const UNSUBSCRIBE_PAGE = plainPage(
  'Unsubscribe',
  `<p>Do you want to stop receiving these e-mails?</p>
<form method="post">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button type="submit">Unsubscribe</button>
</form>`,
);
