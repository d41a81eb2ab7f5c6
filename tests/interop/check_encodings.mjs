// Encodings of ML-DSA: SubjectPublicKeyInfo, PKCS#8 and X.509 against OpenSSL, COSE_Key and COSE_Sign1 against structures
// written here and signed by OpenSSL.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import path from 'node:path';

import { decode, encode, Tagged } from './cbor.mjs';
import { certificate } from './certificates.mjs';
import { Kat } from './kat.mjs';
import { privateKey, publicKey, publicOctets } from './openssl_keys.mjs';

export const name = 'encodings';

const numbers = { 'ML-DSA-44': -48, 'ML-DSA-65': -49, 'ML-DSA-87': -50 }; // of COSE
const sets = Object.keys(numbers);

// What COSE signs (RFC 9052 section 4.4).
const toBeSigned = (header, aad, payload) => encode(['Signature1', header, aad, payload]);

async function checkKeys({ ours, check, random }, set) {
  const export_ = (key, type) => key.export({ format: 'der', type });

  await check(`${set}_SPKI_and_PKCS8`, async () => {
    const seed = random.bytes(32);
    const key = privateKey(set, seed);
    const pk = publicOctets(key);
    const written = await ours.get(`${set}/write`, { seed });
    const theirPublic = export_(crypto.createPublicKey(key), 'spki');
    assert.deepEqual(written.spki, theirPublic);
    const imported = crypto.createPrivateKey({ key: written.pkcs8, format: 'der', type: 'pkcs8' });
    assert.deepEqual(publicOctets(imported), pk);
    assert.deepEqual((await ours.get(`${set}/read-spki`, { der: theirPublic })).pk, pk);
    // OpenSSL writes the seed and the expanded key where it has both.
    const both = export_(key, 'pkcs8');
    assert.deepEqual(await ours.get(`${set}/read-pkcs8`, { der: both }), { status: 'ok', seed, pk });
    assert.deepEqual(await ours.get(`${set}/read-pkcs8`, { der: written.pkcs8 }), { status: 'ok', seed, pk });
    const generated = crypto.generateKeyPairSync(set.toLowerCase());
    const read = await ours.get(`${set}/read-pkcs8`, { der: export_(generated.privateKey, 'pkcs8') });
    assert.deepEqual(read.pk, publicOctets(generated.privateKey));
    for (const wrong of [both.subarray(1), Buffer.concat([both, Buffer.from([0])]), random.damaged(both.subarray(0, 20))])
      assert.equal((await ours.ask(`${set}/read-pkcs8`, { der: wrong })).status, 'invalid');
    const apart = Buffer.from(both);
    apart[both.length - 1] ^= 1; // the expanded key is no longer that of the seed
    assert.equal((await ours.ask(`${set}/read-pkcs8`, { der: apart })).status, 'invalid');
  });

  await check(`${set}_COSE_Key`, async () => {
    const seed = random.bytes(32);
    const pk = publicOctets(privateKey(set, seed));
    const kid = random.bytes(8);
    const fields = [[1, 7], [2, kid], [3, numbers[set]], [-1, pk]];
    const open = encode(new Map(fields));
    const secret = encode(new Map([...fields, [-2, seed]]));
    const written = await ours.get(`${set}/write`, { seed, kid });
    assert.deepEqual(written.cose, open);
    assert.deepEqual(written.coseprivate, secret);
    assert.deepEqual(await ours.get(`${set}/read-cose-key`, { key: open }), { status: 'ok', pk });
    assert.deepEqual(await ours.get(`${set}/read-cose-key`, { key: secret }), { status: 'ok', pk, seed });
    const another = encode(new Map([...fields, [-2, random.bytes(32)]]));
    assert.equal((await ours.ask(`${set}/read-cose-key`, { key: another })).status, 'invalid');
  });
}

async function checkMessages({ ours, check, random }, set) {
  await check(`${set}_COSE_Sign1_of_ours`, async () => {
    const seed = random.bytes(32);
    const key = publicKey(set, publicOctets(privateKey(set, seed)));
    for (const [internal, kid, aad] of [[0, undefined, Buffer.alloc(0)], [0, random.bytes(9), random.bytes(40)], [1]]) {
      const msg = random.some(2000);
      const { cose } = await ours.get(`${set}/sign-cose`, { seed, msg, aad, kid, internal });
      const { tag, value } = decode(cose);
      assert.equal(tag, 18);
      const [header, unprotected, payload, signature] = value;
      assert.equal(decode(header).get(1), numbers[set]);
      if (kid !== undefined) assert.deepEqual(decode(header).get(4), kid);
      assert.equal(unprotected.size, 0);
      assert.deepEqual(payload, internal === 1 ? null : msg);
      const text = toBeSigned(header, aad ?? Buffer.alloc(0), msg);
      assert.ok(crypto.verify(null, text, key, signature));
    }
  });

  await check(`${set}_COSE_Sign1_of_openssl`, async () => {
    const key = privateKey(set, random.bytes(32));
    const pk = publicOctets(key);
    const verdict = async (fields) => (await ours.ask(`${set}/verify-cose`, { pk, ...fields })).status;
    const header = encode(new Map([[1, numbers[set]]]));
    const kid = random.bytes(5);
    const [msg, aad] = [random.some(2000), random.some(100)];
    const signature = crypto.sign(null, toBeSigned(header, aad, msg), key);
    const whole = (payload, sig = signature) => encode(new Tagged(18, [header, new Map([[4, kid]]), payload, sig]));
    const answer = await ours.get(`${set}/verify-cose`, { pk, cose: whole(msg), aad });
    assert.deepEqual(answer, { status: 'ok', msg, kid });
    assert.equal(await verdict({ cose: whole(null), msg, aad }), 'ok');
    assert.equal(await verdict({ cose: whole(null), aad }), 'invalid');
    assert.equal(await verdict({ cose: whole(msg), aad: Buffer.concat([aad, pk]) }), 'invalid');
    assert.equal(await verdict({ cose: whole(Buffer.concat([msg, pk])), aad }), 'invalid');
    assert.equal(await verdict({ cose: whole(msg, random.damaged(signature)), aad }), 'invalid');
    assert.equal(await verdict({ cose: whole(msg).subarray(0, -1), aad }), 'invalid');
    assert.equal(await verdict({ cose: Buffer.concat([whole(msg), Buffer.from([0])]), aad }), 'invalid');
  });
}

async function checkCertificates({ ours, check, random }) {
  await check('X509_chains_of_openssl', async () => {
    const from = new Date(Date.UTC(2026, 0, 1));
    const until = new Date(Date.UTC(2036, 0, 1));
    const within = Date.UTC(2030, 0, 1) / 1000;
    for (const [rootSet, caSet, leafSet] of [sets, ['ML-DSA-65', 'ML-DSA-87', 'ML-DSA-44'], ['ML-DSA-87', 'ML-DSA-44', 'ML-DSA-65']]) {
      const party = (common, set) => ({ name: common, set, key: privateKey(set, random.bytes(32)) });
      const [rootParty, caParty, leafParty] = [party('root', rootSet), party('ca', caSet), party('leaf', leafSet)];
      const period = { from, until };
      const root = certificate({ subject: rootParty, issuer: rootParty, serial: 1, isCa: true, ...period });
      const ca = certificate({ subject: caParty, issuer: rootParty, serial: 2, isCa: true, ...period });
      const leaf = certificate({ subject: leafParty, issuer: caParty, serial: 3, isCa: false, ...period });
      // OpenSSL takes them for what they are.
      const [theirRoot, theirCa, theirLeaf] = [root, ca, leaf].map((one) => new crypto.X509Certificate(one));
      assert.ok(theirLeaf.checkIssued(theirCa) && theirLeaf.verify(theirCa.publicKey));
      assert.ok(theirCa.checkIssued(theirRoot) && theirCa.verify(theirRoot.publicKey));
      assert.ok(!theirLeaf.ca && theirCa.ca);

      const verdict = async (fields) => (await ours.ask('X509/verify', { root, ca, leaf, len: within, ...fields })).status;
      assert.equal(await verdict({}), 'valid');
      assert.equal(await verdict({ leaf: ca, ca: undefined }), 'invalid'); // a CA may not sign messages
      assert.equal(await verdict({ ca: undefined }), 'invalid');
      assert.equal(await verdict({ ca: leaf }), 'invalid');
      assert.equal(await verdict({ root: leaf }), 'invalid');
      assert.equal(await verdict({ len: from / 1000 - 1 }), 'invalid');
      assert.equal(await verdict({ len: until / 1000 + 1 }), 'invalid');
      assert.equal(await verdict({ leaf: Buffer.concat([leaf, Buffer.from([0])]) }), 'invalid');
      for (let i = 0; i < 50; i++) assert.equal(await verdict({ leaf: random.damaged(leaf) }), 'invalid');
    }
  });
}

export async function run({ check, random, buildFolder, skip }) {
  if (buildFolder === undefined) return check('encodings', () => skip('no build folder was given'));
  const ours = new Kat(path.join(buildFolder, 'tests', 'interop', 'interop-encodings'), []);
  const t = { ours, check, random };
  for (const set of sets) {
    await checkKeys(t, set);
    await checkMessages(t, set);
  }
  await checkCertificates(t);
  await ours.end();
}
