// ML-DSA: the same keys from the same seed, the same deterministic and hedged signatures, and signatures of one side
// verified by the other: with and without context, of the pre-hash form, of an external mu.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';

import { privateKey, publicKey, publicOctets } from './openssl_keys.mjs';
import { preHashes } from './pre_hashes.mjs';

export const name = 'ML-DSA';

const rounds = 6;

export async function run({ kat, check, random, load }) {
  const noble = await load('@noble/post-quantum/ml-dsa.js');
  const hashes = await preHashes(load);
  for (const set of ['44', '65', '87']) {
    const ours = `ML-DSA-${set}`;
    const dsa = noble[`ml_dsa${set}`];
    const verdict = async (fields) => (await kat.ask(`${ours}/verify`, fields)).status;

    await check(`${ours}_noble`, async () => {
      for (let i = 0; i < rounds; i++) {
        const seed = random.bytes(32);
        const { pk, sk } = await kat.get(`${ours}/keygen`, { seed });
        const theirs = dsa.keygen(seed);
        assert.deepEqual(pk, Buffer.from(theirs.publicKey));
        assert.deepEqual(sk, Buffer.from(theirs.secretKey));
        const msg = random.some(3000);
        const ctx = i % 2 === 0 ? undefined : random.some(255);
        const rnd = i % 3 === 0 ? undefined : random.bytes(32);
        const { sig } = await kat.get(`${ours}/sign`, { ...(i % 2 === 0 ? { seed } : { sk }), msg, ctx, rnd });
        const options = { context: ctx ?? Buffer.alloc(0), extraEntropy: rnd ?? false };
        assert.deepEqual(sig, Buffer.from(dsa.sign(msg, theirs.secretKey, options)));
        assert.ok(dsa.verify(sig, msg, theirs.publicKey, { context: options.context }));
        assert.equal(await verdict({ pk, msg, ctx, sig }), 'valid');
        assert.equal(await verdict({ pk, msg, ctx, sig: random.damaged(sig) }), 'invalid');
        assert.equal(await verdict({ pk, msg: Buffer.concat([msg, sig]), ctx, sig }), 'invalid');
        assert.equal(await verdict({ pk, msg, ctx: Buffer.concat([ctx ?? msg.subarray(0, 1), pk.subarray(0, 1)]), sig }),
                     'invalid');
      }
    });

    await check(`${ours}_noble_prehash`, async () => {
      let ran = 0;
      for (const [hash, theirHash] of Object.entries(hashes)) {
        let pre;
        try {
          pre = dsa.prehash(theirHash);
        } catch {
          continue; // noble refuses hashes that are weaker than the parameter set
        }
        ran++;
        const seed = random.bytes(32);
        const { pk } = await kat.get(`${ours}/keygen`, { seed });
        const theirs = dsa.keygen(seed);
        const [msg, ctx] = [random.some(3000), random.some(255)];
        const { sig } = await kat.get(`${ours}/sign`, { seed, msg, ctx, hash });
        assert.deepEqual(sig, Buffer.from(pre.sign(msg, theirs.secretKey, { context: ctx, extraEntropy: false })), hash);
        const hedged = pre.sign(msg, theirs.secretKey, { context: ctx });
        assert.equal(await verdict({ pk, msg, ctx, hash, sig: hedged }), 'valid', hash);
        assert.equal(await verdict({ pk, msg, ctx, sig }), 'invalid', hash);
      }
      assert.ok(ran >= 3, `only ${ran} hashes`);
    });

    await check(`${ours}_noble_external_mu`, async () => {
      const seed = random.bytes(32);
      const { pk } = await kat.get(`${ours}/keygen`, { seed });
      const theirs = dsa.keygen(seed);
      const [msg, ctx] = [random.some(3000), random.some(255)];
      const tr = crypto.createHash('shake256', { outputLength: 64 }).update(pk).digest();
      const mu = crypto.createHash('shake256', { outputLength: 64 })
        .update(tr).update(Buffer.from([0, ctx.length])).update(ctx).update(msg).digest();
      const { sig } = await kat.get(`${ours}/sign`, { seed, mu });
      const options = { externalMu: true, extraEntropy: false };
      assert.deepEqual(sig, Buffer.from(dsa.internal.sign(mu, theirs.secretKey, options)));
      assert.equal(await verdict({ pk, mu, sig }), 'valid');
      assert.equal(await verdict({ pk, msg, ctx, sig }), 'valid');
      assert.equal(await verdict({ pk, mu: mu.subarray(1), sig }), 'invalid');
    });

    await check(`${ours}_openssl`, async () => {
      for (let i = 0; i < rounds; i++) {
        const seed = random.bytes(32);
        const { pk } = await kat.get(`${ours}/keygen`, { seed });
        const theirs = privateKey(ours, seed);
        assert.deepEqual(pk, publicOctets(theirs));
        const [msg, ctx] = [random.some(3000), random.some(255)];
        const { sig } = await kat.get(`${ours}/sign`, { seed, msg, ctx, rnd: random.bytes(32) });
        assert.ok(crypto.verify(null, msg, { key: publicKey(ours, pk), context: ctx }, sig));
        assert.ok(!crypto.verify(null, msg, { key: publicKey(ours, pk), context: ctx }, random.damaged(sig)));
        const their = crypto.sign(null, msg, { key: theirs, context: ctx });
        assert.equal(await verdict({ pk, msg, ctx, sig: their }), 'valid');
        assert.equal(await verdict({ pk, msg, ctx, sig: random.damaged(their) }), 'invalid');
      }
    });

    await check(`${ours}_refuses_wrong_lengths`, async () => {
      const seed = random.bytes(32);
      const { pk, sk } = await kat.get(`${ours}/keygen`, { seed });
      const msg = random.bytes(20);
      const { sig } = await kat.get(`${ours}/sign`, { seed, msg });
      const one = Buffer.from([0]);
      for (const wrong of [sig.subarray(1), Buffer.concat([sig, one]), Buffer.alloc(0)])
        assert.equal(await verdict({ pk, msg, sig: wrong }), 'invalid');
      for (const wrong of [pk.subarray(1), Buffer.concat([pk, one]), Buffer.alloc(0)])
        assert.equal(await verdict({ pk: wrong, msg, sig }), 'invalid');
      assert.equal(await verdict({ pk, msg, ctx: Buffer.alloc(256), sig }), 'invalid');
      assert.equal((await kat.ask(`${ours}/sign`, { seed, msg, ctx: Buffer.alloc(256) })).status, 'invalid');
      assert.equal((await kat.ask(`${ours}/sign`, { sk: sk.subarray(1), msg })).status, 'invalid');
    });
  }
}
