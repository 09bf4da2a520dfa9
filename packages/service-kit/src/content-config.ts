import { z } from 'zod';
import { integer } from './config.js';

/** How content is fetched that fields of recipients name by URL (spec 3); whose servers, the clients say. */
export const contentConfig = {
  CONTENT_MAX_BYTES: integer(1, 26_214_400)
    .default(1_048_576)
    .describe('largest text, picture or attachment that is fetched for a mail'),
  CONTENT_TIMEOUT_MS: integer(100, 120_000)
    .default(5_000)
    .describe('longest wait for one of them: look-up, connection, redirects and body together'),
  CONTENT_ALLOW_NETWORKS: z
    .string()
    .regex(
      /^[\da-fA-F.:]+\/\d{1,3}(\s*,\s*[\da-fA-F.:]+\/\d{1,3})*$/,
      'write networks as 10.1.0.0/16, with commas between them',
    )
    .transform((text) => text.split(',').map((network) => network.trim()))
    .default([])
    .describe('networks that are not public and may be fetched from all the same, as 10.1.0.0/16; comma-separated'),
};

type ContentSettings = z.output<z.ZodObject<typeof contentConfig>>;

/** For so long a server that did not answer in time is not asked again. */
const REST_MS = 60_000;

/** The rules of @postloop/content's fetcher. */
export function contentRules(config: ContentSettings) {
  return {
    networks: config.CONTENT_ALLOW_NETWORKS,
    maxBytes: config.CONTENT_MAX_BYTES,
    timeoutMs: config.CONTENT_TIMEOUT_MS,
    restMs: REST_MS,
  };
}

/** A claim on content to fetch: two tries, and then it is free for others. */
export const contentLeaseMs = ({ CONTENT_TIMEOUT_MS }: ContentSettings): number => 2 * CONTENT_TIMEOUT_MS + 5_000;
