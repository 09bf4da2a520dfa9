/** Where a client's files are on the SFTP server (spec 1). Paths are absolute from the account's root. */
export interface InboxPaths {
  /** Uploads arrive here. */
  inbox: string;
  processing: string;
  done: string;
  failed: string;
}

/** The cycle of one inbox: `import` or `test`. */
export function inboxPaths(clientDirectory: string, directory: 'import' | 'test'): InboxPaths {
  const inbox = `${root(clientDirectory)}/${directory}`;
  return { inbox, processing: `${inbox}/processing`, done: `${inbox}/done`, failed: `${inbox}/failed` };
}

export const exportPath = (clientDirectory: string): string => `${root(clientDirectory)}/export`;
export const logsPath = (clientDirectory: string): string => `${root(clientDirectory)}/logs`;

/** Every directory of a client, parents first. */
export function clientDirectories(clientDirectory: string): string[] {
  const cycles = (['import', 'test'] as const).flatMap((directory) =>
    Object.values(inboxPaths(clientDirectory, directory)),
  );
  return [...cycles, exportPath(clientDirectory), logsPath(clientDirectory)];
}

const root = (clientDirectory: string): string => `/${clientDirectory.replace(/^\/+|\/+$/g, '')}`;
