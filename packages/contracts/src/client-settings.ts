import { z } from 'zod';

/**
 * A part of the settings: every key has a default, so a client writes only what differs. The cast says to the compiler what it
 * cannot infer of a shape: that nothing in it is required; `defaultClientSettings` below would throw if it were not so.
 */
const part = <S extends z.ZodRawShape>(shape: S) => z.strictObject(shape).prefault({} as never);

const days = (defaultDays: number) => z.int().min(1).max(3_650).default(defaultDays);

const address = z
  .string()
  .regex(/^[^\s@<>"]+@[^\s@<>"]+$/, { message: 'this is no e-mail address.' })
  .meta({ remedy: 'Write an address alone: name@example.com.' });

/** A name on the SFTP server: no folder, nothing hidden. */
const fileName = z.string().regex(/^(?!\.)[^/\\\p{Cc}]{1,120}$/u, { message: 'this cannot be a file name.' });

const LABEL = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?';
const HOST = new RegExp(`^(\\*\\.)?${LABEL}(\\.${LABEL})*$`, 'i');

/** `cdn.example.com`, or `*.example.com` for every host below it. */
const host = z.string().refine((text) => HOST.test(text), {
  message: 'this is no host name.',
  params: { remedy: 'Write cdn.example.com, or *.example.com for all hosts below it.' },
});

const locale = z.string().refine(isLocale, {
  message: 'this is no language.',
  params: { remedy: 'Write a language tag such as "en", "de" or "de-AT".' },
});

export const sendingEvents = ['imported', 'started', 'finished', 'error'] as const;

/** Extra columns of the response files; any other name is a field of the recipient list. */
export const extraColumns = ['waveId', 'sourceMailingId', 'verdict', 'eventId'] as const;

/** What a client may choose of the closed-loop contract (spec 1, 2, 6, 8). */
export const clientSettings = z.strictObject({
  /** Either module works without the other. */
  modules: part({ import: z.boolean().default(true), export: z.boolean().default(true) }),

  /** Recipient files as they arrive. */
  files: part({
    /** `{timestamp}` stands for YYYYMMDDHHMMSS. */
    name: fileName
      .regex(/^[^{}]*\{timestamp\}[^{}]*$/, { message: 'the name has no {timestamp}.' })
      .default('{timestamp}_subscribers.csv'),
    header: z.enum(['none', 'present', 'auto']).default('none'),
    /** A new name with content that was accepted before. */
    sameContent: part({
      import: z.enum(['reject', 'allow']).default('reject'),
      test: z.enum(['reject', 'allow']).default('allow'),
    }),
  }),

  /** Limits that all senders keep together, besides those of transport and recipient domain (spec 4). null: none. */
  sending: part({
    mailsPerSecond: z.number().positive().max(100_000).nullable().default(null),
    /** Mails that are handed over at the same time. */
    connections: z.int().min(1).max(10_000).nullable().default(null),
  }),

  /** What follows an error besides the fault in the log: each can be switched off once the interface runs well. */
  onError: part({
    /** The directory takes no further file until it is restarted. */
    halt: z.boolean().default(true),
    errorFile: z.boolean().default(true),
  }),

  /** Status mails (spec 6). */
  notices: part({
    addresses: z.array(address).max(20).default([]),
    on: z.array(z.enum(sendingEvents)).default([...sendingEvents]),
  }),

  /** Names of months and days and marks of numbers in mails, where a template names no language. */
  locale: locale.default('en'),

  /** What mails take from elsewhere (spec 3). */
  content: part({
    /** Servers that URLs in recipient files may lead to. Empty: none. */
    hosts: z.array(host).max(100).default([]),
  }),

  /** Response files (spec 8). */
  export: part({
    profile: z.enum(['classic', 'current']).default('current'),
    /** Without extension. `{day}`: YYYYMMDD in the client's zone; `{kind}`: mailings, clicks and so on. */
    name: fileName
      .regex(/^[^{}]*(\{day\}[^{}]*\{kind\}|\{kind\}[^{}]*\{day\})[^{}]*$/, {
        message: 'the name needs {day} and {kind}.',
      })
      .default('{day}_{kind}'),
    extension: z
      .string()
      .regex(/^\.\w{1,10}$/)
      .default('.csv'),
    delimiter: z.enum([';', ',', '\t', '|']).default(';'),
    lineBreak: z.enum(['lf', 'crlf']).default('lf'),
    /** `needed`: only where the value holds a delimiter, quote or line break, or is the empty string. */
    quotes: z.enum(['needed', 'always']).default('needed'),
    encoding: z.enum(['utf-8', 'utf-8-bom', 'iso-8859-1']).default('utf-8'),
    header: z.boolean().default(true),
    gzip: z.boolean().default(false),
    /** A mailing is told when it starts, too, not only when it is finished. */
    whenStarted: z.boolean().default(false),
    /** Opens and clicks of mailings without a campaign (CRM feeds). */
    withoutCampaign: z.enum(['include', 'leave_out']).default('include'),
    extraColumns: z.array(z.string().min(1)).max(100).default([]),
    /** An eighth file. */
    complaints: z.boolean().default(false),
    /** A ninth: counts, SHA-256, watermarks. */
    manifest: z.boolean().default(false),
  }),

  /** How long things stay. */
  retention: part({
    /** After a mailing's start: its responses are exported, its recipients' data is there. */
    mailingDays: days(30),
    /** Response files, logs and uploads on the SFTP server. */
    fileDays: days(30),
    /** What is left of a recipient (IDs, address) for late responses. */
    identityMonths: z.int().min(1).max(120).default(13),
  }),
});

export type ClientSettings = z.output<typeof clientSettings>;
/** As written: what is left out has its default. */
export type WrittenClientSettings = z.input<typeof clientSettings>;

export const defaultClientSettings: ClientSettings = clientSettings.parse({});

function isLocale(tag: string): boolean {
  try {
    return Intl.NumberFormat.supportedLocalesOf(tag).length > 0;
  } catch {
    return false;
  }
}
