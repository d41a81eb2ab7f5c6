// SLH-DSA: the same keys from the same seeds, the same deterministic signatures, and signatures of one side verified by
// the other. Against OpenSSL all twelve sets; against noble the fast ones and the small ones of 128 bits, because signing
// in JavaScript takes long.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';

import { privateKey, publicKey, publicOctets } from './openssl_keys.mjs';
import { preHashes } from './pre_hashes.mjs';

export const name = 'SLH-DSA';

const octets = { 128: 16, 192: 24, 256: 32 };

export async function run({ kat, check, random, load }) {
  const noble = await load('@noble/post-quantum/slh-dsa.js');
  const hashes = await preHashes(load);
  for (const family of ['SHA2', 'SHAKE']) {
    for (const set of ['128f', '192f', '256f', '128s', '192s', '256s']) {
      const ours = `SLH-DSA-${family}-${set}`;
      const small = set.endsWith('s');
      const n = octets[set.slice(0, 3)];
      const verdict = async (fields) => (await kat.ask(`${ours}/verify`, fields)).status;
      const pair = async () => {
        const [skseed, skprf, pkseed] = [random.bytes(n), random.bytes(n), random.bytes(n)];
        const keys = await kat.get(`${ours}/keygen`, { skseed, skprf, pkseed });
        return { seed: Buffer.concat([skseed, skprf, pkseed]), ...keys };
      };

      await check(`${ours}_openssl`, async () => {
        const { pk, sk } = await pair();
        const theirs = privateKey(ours, sk);
        assert.deepEqual(pk, publicOctets(theirs));
        const [msg, ctx] = [random.some(3000), random.some(255)];
        const { sig } = await kat.get(`${ours}/sign`, { sk, msg, ctx, addrnd: small ? undefined : random.bytes(n) });
        assert.ok(crypto.verify(null, msg, { key: publicKey(ours, pk), context: ctx }, sig));
        assert.ok(!crypto.verify(null, msg, { key: publicKey(ours, pk), context: ctx }, random.damaged(sig)));
        assert.equal(await verdict({ pk, msg, ctx, sig: random.damaged(sig) }), 'invalid');
        assert.equal(await verdict({ pk, msg, ctx, sig: sig.subarray(1) }), 'invalid');
        assert.equal(await verdict({ pk, msg, ctx, sig: Buffer.concat([sig, pk]) }), 'invalid');
        assert.equal(await verdict({ pk: pk.subarray(1), msg, ctx, sig }), 'invalid');
        const their = crypto.sign(null, msg, { key: theirs, context: ctx });
        assert.equal(await verdict({ pk, msg, ctx, sig: their }), 'valid');
      });

      if (small && n !== 16) continue;
      await check(`${ours}_noble`, async () => {
        const dsa = noble[`slh_dsa_${family.toLowerCase()}_${set}`];
        const { seed, pk, sk } = await pair();
        const theirs = dsa.keygen(seed);
        assert.deepEqual(pk, Buffer.from(theirs.publicKey));
        assert.deepEqual(sk, Buffer.from(theirs.secretKey));
        const [msg, context] = [random.some(3000), random.some(255)];
        const their = Buffer.from(dsa.sign(msg, theirs.secretKey, { context, extraEntropy: false }));
        const { sig } = await kat.get(`${ours}/sign`, { sk, msg, ctx: context });
        assert.deepEqual(sig, their);
        assert.ok(dsa.verify(sig, msg, theirs.publicKey, { context }));
        assert.equal(await verdict({ pk, msg, ctx: context, sig: their }), 'valid');
      });

      if (set !== '128f') continue;
      await check(`${ours}_noble_prehash`, async () => {
        const dsa = noble[`slh_dsa_${family.toLowerCase()}_${set}`];
        let ran = 0;
        for (const [hash, theirHash] of Object.entries(hashes)) {
          let pre;
          try {
            pre = dsa.prehash(theirHash);
          } catch {
            continue; // noble refuses hashes that are weaker than the parameter set
          }
          ran++;
          const { seed, pk, sk } = await pair();
          const theirs = dsa.keygen(seed);
          const [msg, context] = [random.some(3000), random.some(255)];
          const addrnd = random.bytes(n);
          const { sig } = await kat.get(`${ours}/sign`, { sk, msg, ctx: context, hash, addrnd });
          const their = Buffer.from(pre.sign(msg, theirs.secretKey, { context, extraEntropy: addrnd }));
          assert.deepEqual(sig, their, hash);
          assert.ok(pre.verify(sig, msg, theirs.publicKey, { context }), hash);
          assert.equal(await verdict({ pk, msg, ctx: context, hash, sig: their }), 'valid', hash);
          assert.equal(await verdict({ pk, msg, ctx: context, sig: their }), 'invalid', hash);
        }
        assert.ok(ran >= 3, `only ${ran} hashes`);
      });
    }
  }
}
