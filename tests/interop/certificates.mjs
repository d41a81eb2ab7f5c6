// X.509 certificates (RFC 5280, RFC 9881) put together here and signed by OpenSSL.
import crypto from 'node:crypto';

import { der, oids } from './openssl_keys.mjs';

const oid = (...octets) => der(6, Buffer.from(octets));
const yes = der(1, Buffer.from([0xff]));
const algorithm = (set) => der(0x30, der(6, oids[set]));
const time = (date) => der(0x17, Buffer.from(`${date.toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`));
const name = (common) => der(0x30, der(0x31, der(0x30, oid(0x55, 4, 3), der(12, Buffer.from(common)))));

function extensions({ isCa, subjectId, issuerId }) {
  const list = [
    der(0x30, oid(0x55, 0x1d, 0x13), yes, der(4, isCa ? der(0x30, yes) : der(0x30))),
    // keyCertSign and cRLSign, or digitalSignature
    der(0x30, oid(0x55, 0x1d, 0x0f), yes, der(4, der(3, Buffer.from(isCa ? [1, 0x06] : [7, 0x80])))),
    der(0x30, oid(0x55, 0x1d, 0x0e), der(4, der(4, subjectId))),
    der(0x30, oid(0x55, 0x1d, 0x23), der(4, der(0x30, der(0x80, issuerId)))),
  ];
  return der(0xa3, der(0x30, ...list));
}

// A certificate for `subject` by `issuer`; both have { name, set, key (private) }.
export function certificate({ subject, issuer, serial, isCa, from, until }) {
  const spki = (party) => crypto.createPublicKey(party.key).export({ format: 'der', type: 'spki' });
  const id = (party) => crypto.createHash('sha1').update(spki(party)).digest();
  const tbs = der(
    0x30,
    der(0xa0, der(2, Buffer.from([2]))),
    der(2, Buffer.from([serial])),
    algorithm(issuer.set),
    name(issuer.name),
    der(0x30, time(from), time(until)),
    name(subject.name),
    spki(subject),
    extensions({ isCa, subjectId: id(subject), issuerId: id(issuer) }),
  );
  const signature = crypto.sign(null, tbs, issuer.key);
  return der(0x30, tbs, algorithm(issuer.set), der(3, Buffer.from([0]), signature));
}
