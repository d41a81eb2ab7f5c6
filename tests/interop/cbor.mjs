// As much CBOR (RFC 8949) as COSE needs, written by itself: numbers, Buffers, text, arrays, Maps, null and tags.

function head(major, value) {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 0x100) return Buffer.from([(major << 5) | 24, value]);
  if (value < 0x10000) return Buffer.from([(major << 5) | 25, value >> 8, value & 255]);
  const out = Buffer.alloc(5);
  out[0] = (major << 5) | 26;
  out.writeUInt32BE(value, 1);
  return out;
}

export class Tagged {
  constructor(tag, value) {
    Object.assign(this, { tag, value });
  }
}

// Deterministic: shortest heads, keys of maps in the order of their encodings.
export function encode(value) {
  if (value === null) return Buffer.from([0xf6]);
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(encode)]);
  if (value instanceof Tagged) return Buffer.concat([head(6, value.tag), encode(value.value)]);
  const entries = [...value].map(([key, entry]) => [encode(key), encode(entry)]);
  entries.sort(([a], [b]) => Buffer.compare(a, b));
  return Buffer.concat([head(5, entries.length), ...entries.flat()]);
}

export function decode(bytes) {
  let at = 0;
  const next = () => {
    const major = bytes[at] >> 5;
    let value = bytes[at++] & 31;
    if (major === 7) {
      if (value !== 22) throw new Error('an unexpected simple value');
      return null;
    }
    if (value >= 24) {
      const size = 1 << (value - 24);
      value = bytes.readUIntBE(at, size);
      at += size;
    }
    switch (major) {
      case 0:
        return value;
      case 1:
        return -1 - value;
      case 2:
        at += value;
        return bytes.subarray(at - value, at);
      case 3:
        at += value;
        return bytes.toString('utf8', at - value, at);
      case 4:
        return Array.from({ length: value }, next);
      case 5:
        return new Map(Array.from({ length: value }, () => [next(), next()]));
      default:
        return new Tagged(value, next());
    }
  };
  const value = next();
  if (at !== bytes.length) throw new Error('something stands behind the CBOR item');
  return value;
}
