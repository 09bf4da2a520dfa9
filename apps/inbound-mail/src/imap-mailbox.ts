import { ImapFlow } from 'imapflow';

export interface ImapAccount {
  host: string;
  port: number;
  /** From the start, else STARTTLS. */
  secure: boolean;
  /** Without encryption at all. */
  plain: boolean;
  user: string;
  password: string;
  mailbox: string;
}

/** @param url imaps://user:password@host:port/MAILBOX (default INBOX), its parts percent-encoded */
export function readImapUrl(url: string, plain: boolean): ImapAccount {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  const secure = protocol === 'imaps:';
  return {
    host: hostname,
    port: port === '' ? (secure ? 993 : 143) : Number(port),
    secure,
    plain: plain && !secure,
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    mailbox: decodeURIComponent(pathname.slice(1)) || 'INBOX',
  };
}

export interface ImapMessage {
  raw: Buffer;
  receivedAt: Date | undefined;
}

/** What a look at a mailbox needs. */
export interface MailboxSession extends AsyncDisposable {
  /** UIDs of messages that nobody has taken over, ascending. */
  unseen(): Promise<number[]>;
  /** Undefined when it is gone. At most `maxBytes` of it. The message is not marked by that. */
  fetch(uid: number, maxBytes: number): Promise<ImapMessage | undefined>;
  /** The message is stored with us: moves it to the folder, or marks it as seen. */
  done(uid: number, folder: string | undefined): Promise<void>;
}

const TIMEOUT_MS = 30_000;
/** Room beside the message in one answer of the server. */
const OVERHEAD = 1_000_000;

/** Logs in and opens the mailbox. Rejects when the server cannot be reached, offers no encryption, or refuses. */
export async function openMailbox(account: ImapAccount, maxBytes: number): Promise<MailboxSession> {
  const client = new ImapFlow({
    host: account.host,
    port: account.port,
    secure: account.secure,
    // Refused rather than done in the clear when the server offers none.
    ...(account.secure ? {} : { doSTARTTLS: !account.plain }),
    auth: { user: account.user, pass: account.password },
    logger: false,
    disableAutoIdle: true,
    connectionTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    maxLiteralSize: maxBytes + OVERHEAD,
    maxResponseSize: maxBytes + 2 * OVERHEAD,
  });
  // The command that runs rejects too; without a listener the process would end.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.mailboxOpen(account.mailbox);
  } catch (error) {
    client.close();
    throw error;
  }
  const uid = { uid: true };
  return {
    async unseen() {
      const found = await client.search({ seen: false, deleted: false }, uid);
      return found ? found.sort((a, b) => a - b) : [];
    },
    async fetch(number, maxLength) {
      const [message] = await client.fetchAll(String(number), { source: { maxLength }, internalDate: true }, uid);
      if (!message?.source) return undefined;
      const { internalDate } = message;
      return { raw: message.source, receivedAt: internalDate === undefined ? undefined : new Date(internalDate) };
    },
    async done(number, folder) {
      const ok =
        folder === undefined
          ? await client.messageFlagsAdd(String(number), ['\\Seen'], uid)
          : await client.messageMove(String(number), folder, uid);
      if (!ok) throw new Error(`the mailbox did not let message ${number} be ${folder ? 'moved' : 'marked'}`);
    },
    [Symbol.asyncDispose]: () => client.logout().catch(() => client.close()),
  };
}
