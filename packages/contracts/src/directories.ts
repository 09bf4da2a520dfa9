/** Where a client's files are on the SFTP server (spec 1). Paths are absolute from the account's root. */
export interface InboxPaths {
  /** Uploads arrive here. */
  inbox: string;
  processing: string;
  done: string;
  failed: string;
}

/** Where a client's uploads arrive: recipients, the same for tests, product data. */
export const inboxDirectories = ['import', 'test', 'products'] as const;
export type InboxDirectory = (typeof inboxDirectories)[number];

/** The cycle of one inbox. */
export function inboxPaths(clientDirectory: string, directory: InboxDirectory): InboxPaths {
  const inbox = `${root(clientDirectory)}/${directory}`;
  return { inbox, processing: `${inbox}/processing`, done: `${inbox}/done`, failed: `${inbox}/failed` };
}

export const exportPath = (clientDirectory: string): string => `${root(clientDirectory)}/export`;
export const logsPath = (clientDirectory: string): string => `${root(clientDirectory)}/logs`;

/** Every directory of a client, parents first. */
export function clientDirectories(clientDirectory: string): string[] {
  const cycles = inboxDirectories.flatMap((directory) => Object.values(inboxPaths(clientDirectory, directory)));
  return [...cycles, exportPath(clientDirectory), logsPath(clientDirectory)];
}

const root = (clientDirectory: string): string => `/${clientDirectory.replace(/^\/+|\/+$/g, '')}`;
