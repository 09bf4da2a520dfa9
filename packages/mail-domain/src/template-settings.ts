/**
 * What is done when a product that a mail names, or content that it refers to, is not there. `skip_block`: it is left out;
 * a loop without any product shows its `{% else %}`. `do_not_send`: the recipient gets no mail.
 */
export interface ContentRules {
  /** `default`: the product with this ID takes its place, once in a loop; also where none is named at all. */
  missingProduct: 'skip_block' | 'do_not_send' | { default: string };
  /** `default`: this text takes the place of a text or a fragment of HTML; pictures and attachments are left out. */
  missingContent: 'skip_block' | 'do_not_send' | { default: string };
}

/** How the values of a mailing are written, and what is done when something of it is not there. */
export interface TemplateSettings extends ContentRules {
  /** IANA name: where the client's days begin. */
  timeZone: string;
  /** BCP 47: names of months and days, marks of numbers. A function's own language comes first. */
  locale: string;
}

export const DEFAULT_TEMPLATE_SETTINGS: TemplateSettings = {
  timeZone: 'UTC',
  locale: 'en',
  missingProduct: 'skip_block',
  missingContent: 'skip_block',
};
