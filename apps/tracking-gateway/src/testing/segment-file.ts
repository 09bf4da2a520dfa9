import { createSegmentFile, type SegmentFile } from '../spool-writer.js';

/** A real file in which a test replaces what it wants to watch or to break. */
export function openWith(change: (file: SegmentFile) => Partial<SegmentFile>) {
  return async (path: string): Promise<SegmentFile> => {
    const handle = await createSegmentFile(path);
    const file: SegmentFile = {
      write: (bytes, offset, length, position) => handle.write(bytes, offset, length, position),
      truncate: (length) => handle.truncate(length),
      close: () => handle.close(),
    };
    return { ...file, ...change(file) };
  };
}

/** A promise that is settled from outside. */
export function signal() {
  let fire = () => {};
  const fired = new Promise<void>((resolve) => {
    fire = resolve;
  });
  return { fire, fired };
}
