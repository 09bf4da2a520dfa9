/** Why content could not be fetched: Postloop's own guards refused, there was no answer, or the answer is no good. */
export const contentFaults = [
  'bad_url',
  'host_not_allowed',
  'address_not_allowed',
  'unreachable',
  'timeout',
  'too_large',
  'too_many_redirects',
  'bad_status',
  'bad_encoding',
] as const;
export type ContentFault = (typeof contentFaults)[number];

/** Content that cannot be had. The message is for people and names host and remedy, never the whole URL: it may hold personal data. */
export class ContentError extends Error {
  override name = 'ContentError';
  constructor(
    readonly fault: ContentFault,
    message: string,
  ) {
    super(message);
  }

  /** Whether another try may help: the server's fault, not the URL's. */
  get temporary(): boolean {
    return this.fault === 'unreachable' || this.fault === 'timeout' || this.fault === 'bad_status';
  }
}
