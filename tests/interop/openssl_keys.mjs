// Keys of Node's OpenSSL from raw seeds and octets: the DER of PKCS#8 and SubjectPublicKeyInfo is put together here, so
// that nothing of ours has a part in it.
import crypto from 'node:crypto';

// One element of DER.
export function der(tag, ...parts) {
  const body = Buffer.concat(parts);
  let length;
  if (body.length < 0x80) length = [body.length];
  else if (body.length < 0x100) length = [0x81, body.length];
  else if (body.length < 0x10000) length = [0x82, body.length >> 8, body.length & 255];
  else length = [0x83, body.length >> 16, (body.length >> 8) & 255, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const INTEGER = 2;
const BIT_STRING = 3;
const OCTET_STRING = 4;
const OID = 6;
const SEQUENCE = 0x30;

const nist = (arc, number) => Buffer.from([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, arc, number]);
export const oids = {
  X25519: Buffer.from([0x2b, 0x65, 0x6e]),
  'ML-KEM-512': nist(4, 1),
  'ML-KEM-768': nist(4, 2),
  'ML-KEM-1024': nist(4, 3),
  'ML-DSA-44': nist(3, 17),
  'ML-DSA-65': nist(3, 18),
  'ML-DSA-87': nist(3, 19),
};
['128s', '128f', '192s', '192f', '256s', '256f'].forEach((set, i) => {
  oids[`SLH-DSA-SHA2-${set}`] = nist(3, 20 + i);
  oids[`SLH-DSA-SHAKE-${set}`] = nist(3, 26 + i);
});

const algorithm = (name) => der(SEQUENCE, der(OID, oids[name]));

export function publicKey(name, octets) {
  const key = der(SEQUENCE, algorithm(name), der(BIT_STRING, Buffer.from([0]), octets));
  return crypto.createPublicKey({ key, format: 'der', type: 'spki' });
}

// Of ML-KEM and ML-DSA the seed; of SLH-DSA and X25519 the key itself.
export function privateKey(name, octets) {
  let inner = octets;
  if (name.startsWith('ML-')) inner = der(0x80, octets);
  if (name === 'X25519') inner = der(OCTET_STRING, octets);
  const key = der(SEQUENCE, der(INTEGER, Buffer.from([0])), algorithm(name), der(OCTET_STRING, inner));
  return crypto.createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

// The octets of the public half.
export function publicOctets(key) {
  const jwk = crypto.createPublicKey(key).export({ format: 'jwk' });
  return Buffer.from(jwk.pub ?? jwk.x, 'base64url');
}
