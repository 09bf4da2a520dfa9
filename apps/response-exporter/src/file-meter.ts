import { createHash } from 'node:crypto';

/** Counts and hashes the bytes of a file as they pass. */
export class FileMeter {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  async *watch(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      this.#hash.update(chunk);
      this.#bytes += chunk.length;
      yield chunk;
    }
  }

  /** To be asked once, at the end. `sha256` is in hexadecimal. */
  result(): { bytes: number; sha256: string } {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}
