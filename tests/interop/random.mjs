// Random inputs that follow from a text: SHAKE256 of it and a counter.
import crypto from 'node:crypto';

export class Random {
  #text;
  #count = 0;

  constructor(text) {
    this.#text = text;
  }

  bytes(size) {
    if (size === 0) return Buffer.alloc(0);
    return crypto.createHash('shake256', { outputLength: size }).update(`${this.#text} ${this.#count++}`).digest();
  }

  // A whole number below `limit`.
  below(limit) {
    return this.bytes(6).readUIntBE(0, 6) % limit;
  }

  // Of a length from 0 to `most`; small ones and those about 2^k are as likely as long ones.
  some(most) {
    const limit = Math.min(most + 1, 2 ** (1 + this.below(Math.ceil(Math.log2(most + 2)))));
    return this.bytes(this.below(limit));
  }

  // `bytes` with one bit turned.
  damaged(bytes) {
    const copy = Buffer.from(bytes);
    const bit = this.below(8 * copy.length);
    copy[bit >> 3] ^= 1 << (bit & 7);
    return copy;
  }
}
