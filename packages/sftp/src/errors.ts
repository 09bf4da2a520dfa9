/** Anything the SFTP server or the connection to it refused. `code` is the SFTP v3 status (draft-ietf-secsh-filexfer-02, section 7), where there was one. */
export class SftpError extends Error {
  override name = 'SftpError';
  constructor(
    message: string,
    readonly code?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The file or directory named in the call is not there. */
export class SftpNotFound extends SftpError {
  override name = 'SftpNotFound';
}

/** The target of a rename or an upload is taken. Nothing was changed. */
export class SftpAlreadyExists extends SftpError {
  override name = 'SftpAlreadyExists';
}

/** The host key is missing, unreadable, or not the pinned one. Retrying does not help: a person has to look. */
export class SftpHostKeyError extends SftpError {
  override name = 'SftpHostKeyError';
}

/** No connection, or it broke. What was under way may or may not have happened on the server. */
export class SftpConnectionLost extends SftpError {
  override name = 'SftpConnectionLost';
}

/** `readAll` met more bytes than the caller allowed. */
export class SftpTooLarge extends SftpError {
  override name = 'SftpTooLarge';
}

const NO_SUCH_FILE = 2;
const NO_SUCH_PATH = 10; // SFTP v4 and later, but some v3 servers send it

/** Turns what ssh2 hands to a callback into one of the errors above; `what` is e.g. `list import/`. */
export function toSftpError(error: unknown, what: string): SftpError {
  if (error instanceof SftpError) return error;
  const code = statusOf(error);
  const text = printable(error instanceof Error ? error.message : String(error));
  if (code === NO_SUCH_FILE || code === NO_SUCH_PATH) {
    return new SftpNotFound(`${what}: no such file or directory`, code, { cause: error });
  }
  // ssh2's words for a channel that went away with the request still open.
  if (code === undefined && /no response from server|not connected/i.test(text)) {
    return new SftpConnectionLost(`${what}: the connection was lost`, undefined, { cause: error });
  }
  return new SftpError(`${what}: ${text}`, code, { cause: error });
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? error.code : undefined;
}

/** The server words its own status messages, and they end up in logs and mails. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ').slice(0, 300);
}
