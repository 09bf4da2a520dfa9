const FIRST_SIZE = 64 * 1024;
/** Up to here a loop is faster than the native call. */
const MAX_LOOP = 96;
// Called by itself: where strings of many kinds pass (flat, joined, cut, from outside), V8 would look the method up for every character.
const { charCodeAt } = String.prototype;

/** Bytes of one mail after another in the same memory: growing it for every mail would cost more than the mail. */
export class ByteWriter {
  private bytes = Buffer.allocUnsafe(FIRST_SIZE);
  private used = 0;

  get length(): number {
    return this.used;
  }

  reset(): void {
    this.used = 0;
  }

  /** What was written, until the next `reset`. */
  view(): Buffer {
    return this.bytes.subarray(0, this.used);
  }

  /** @returns a copy */
  take(): Buffer {
    const copy = Buffer.allocUnsafe(this.used);
    this.bytes.copy(copy, 0, 0, this.used);
    return copy;
  }

  writeBytes(bytes: Buffer): void {
    this.reserve(bytes.length);
    this.used += bytes.copy(this.bytes, this.used);
  }

  /** @param text ASCII only */
  writeAscii(text: string): void {
    // Read once: strings come in many forms, and each asking costs as much as a byte.
    const { length } = text;
    this.reserve(length);
    const { bytes, used } = this;
    if (length > MAX_LOOP) bytes.write(text, used, 'latin1');
    else for (let i = 0; i < length; i += 1) bytes[used + i] = charCodeAt.call(text, i);
    this.used = used + length;
  }

  writeByte(byte: number): void {
    this.bytes[this.used] = byte;
    this.used += 1;
  }

  /** Makes room, for `writeByte`. */
  reserve(length: number): void {
    if (this.used + length <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe((this.used + length) * 2);
    this.bytes.copy(larger, 0, 0, this.used);
    this.bytes = larger;
  }
}
