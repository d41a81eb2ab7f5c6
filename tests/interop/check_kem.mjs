// ML-KEM: the same keys from the same seed, and secrets that are encapsulated on one side and opened on the other, also
// where the ciphertext was damaged (implicit rejection gives the same secret everywhere).
import assert from 'node:assert/strict';
import crypto from 'node:crypto';

import { privateKey, publicKey, publicOctets } from './openssl_keys.mjs';

export const name = 'ML-KEM';

const rounds = 10;

export async function run({ kat, check, random, load }) {
  const noble = await load('@noble/post-quantum/ml-kem.js');
  for (const set of ['512', '768', '1024']) {
    const ours = `ML-KEM-${set}`;
    const kem = noble[`ml_kem${set}`];
    const pair = async () => {
      const [d, z] = [random.bytes(32), random.bytes(32)];
      return { seed: Buffer.concat([d, z]), ...(await kat.get(`${ours}/keygen`, { d, z })) };
    };

    await check(`${ours}_noble`, async () => {
      for (let i = 0; i < rounds; i++) {
        const { seed, ek, dk } = await pair();
        const theirs = kem.keygen(seed);
        assert.deepEqual(ek, Buffer.from(theirs.publicKey));
        assert.deepEqual(dk, Buffer.from(theirs.secretKey));
        const m = random.bytes(32);
        const { c, k } = await kat.get(`${ours}/encaps`, { ek, m });
        const sent = kem.encapsulate(theirs.publicKey, m);
        assert.deepEqual(c, Buffer.from(sent.cipherText));
        assert.deepEqual(k, Buffer.from(sent.sharedSecret));
        assert.deepEqual(Buffer.from(kem.decapsulate(c, theirs.secretKey)), k);
        assert.deepEqual((await kat.get(`${ours}/decaps`, { dk, c: sent.cipherText })).k, k);
        const damaged = random.damaged(c);
        const rejected = await kat.get(`${ours}/decaps`, { dk, c: damaged });
        assert.deepEqual(rejected.k, Buffer.from(kem.decapsulate(damaged, theirs.secretKey)));
        assert.notDeepEqual(rejected.k, k);
      }
    });

    await check(`${ours}_openssl`, async () => {
      for (let i = 0; i < rounds; i++) {
        const { seed, ek, dk } = await pair();
        const theirs = privateKey(ours, seed);
        assert.deepEqual(ek, publicOctets(theirs));
        const sent = crypto.encapsulate(publicKey(ours, ek));
        assert.deepEqual((await kat.get(`${ours}/decaps`, { dk, c: sent.ciphertext })).k, Buffer.from(sent.sharedKey));
        const { c, k } = await kat.get(`${ours}/encaps`, { ek, m: random.bytes(32) });
        assert.deepEqual(Buffer.from(crypto.decapsulate(theirs, c)), k);
        const damaged = random.damaged(c);
        const rejected = await kat.get(`${ours}/decaps`, { dk, c: damaged });
        assert.deepEqual(rejected.k, Buffer.from(crypto.decapsulate(theirs, damaged)));
      }
    });

    await check(`${ours}_refuses_wrong_lengths`, async () => {
      const { ek, dk } = await pair();
      const m = random.bytes(32);
      const { c } = await kat.get(`${ours}/encaps`, { ek, m });
      for (const wrong of [ek.subarray(1), Buffer.concat([ek, Buffer.from([0])]), Buffer.alloc(0)])
        assert.equal((await kat.ask(`${ours}/encaps`, { ek: wrong, m })).status, 'invalid');
      for (const wrong of [c.subarray(1), Buffer.concat([c, Buffer.from([0])]), Buffer.alloc(0)])
        assert.equal((await kat.ask(`${ours}/decaps`, { dk, c: wrong })).status, 'invalid');
      assert.equal((await kat.ask(`${ours}/decaps`, { dk: dk.subarray(1), c })).status, 'invalid');
      // A coefficient of q or more (FIPS 203 section 7.2), and a key whose hash does not fit (section 7.3).
      const beyond = Buffer.from(ek);
      beyond.fill(0xff, 0, 3);
      assert.equal((await kat.ask(`${ours}/encaps`, { ek: beyond, m })).status, 'invalid');
      const other = Buffer.from(dk);
      other[dk.length - 40] ^= 1;
      assert.equal((await kat.ask(`${ours}/decaps`, { dk: other, c })).status, 'invalid');
    });
  }
}
