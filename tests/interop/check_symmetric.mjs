// Hashes, HMAC, HKDF, authenticated encryption and X25519 against OpenSSL, on inputs of random lengths.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';

import { privateKey, publicKey, publicOctets } from './openssl_keys.mjs';

export const name = 'symmetric';

const hashes = {
  'SHA2-224': 'sha224',
  'SHA2-256': 'sha256',
  'SHA2-384': 'sha384',
  'SHA2-512': 'sha512',
  'SHA2-512/224': 'sha512-224',
  'SHA2-512/256': 'sha512-256',
  'SHA3-224': 'sha3-224',
  'SHA3-256': 'sha3-256',
  'SHA3-384': 'sha3-384',
  'SHA3-512': 'sha3-512',
};
const rounds = 40;

async function checkAead({ kat, check, random }, ours, theirs) {
  await check(`${ours}_both_ways`, async () => {
    for (let i = 0; i < rounds; i++) {
      const key = random.bytes(32);
      const nonce = random.bytes(12);
      const aad = random.some(300);
      const msg = random.some(5000);
      const cipher = crypto.createCipheriv(theirs, key, nonce, { authTagLength: 16 });
      cipher.setAAD(aad, { plaintextLength: msg.length });
      const ct = Buffer.concat([cipher.update(msg), cipher.final()]);
      const tag = cipher.getAuthTag();
      const sealed = await kat.get(`${ours}/seal`, { key, nonce, aad, msg });
      assert.deepEqual(sealed, { status: 'ok', ct, tag });
      const opened = await kat.get(`${ours}/open`, { key, nonce, aad, ct, tag });
      assert.deepEqual(opened.msg, msg);
      const damaged = { key, nonce, aad, ct, tag: random.damaged(tag) };
      if (i % 3 === 1 && ct.length > 0) Object.assign(damaged, { ct: random.damaged(ct), tag });
      if (i % 3 === 2 && aad.length > 0) Object.assign(damaged, { aad: random.damaged(aad), tag });
      assert.equal((await kat.ask(`${ours}/open`, damaged)).status, 'invalid');
    }
  });
}

export async function run(t) {
  const { kat, check, random } = t;
  for (const [ours, theirs] of Object.entries(hashes)) {
    await check(`${ours}_and_HMAC_and_HKDF`, async () => {
      for (let i = 0; i < rounds; i++) {
        const msg = random.some(20_000);
        const { md } = await kat.get(`${ours}/digest`, { msg });
        assert.deepEqual(md, crypto.createHash(theirs).update(msg).digest());
        const key = random.some(300);
        const { mac } = await kat.get(`HMAC-${ours}/mac`, { key, msg });
        assert.deepEqual(mac, crypto.createHmac(theirs, key).update(msg).digest());
        const [ikm, salt, info] = [random.some(200), random.some(300), random.some(200)];
        const len = 1 + random.below(255 * md.length);
        const { okm } = await kat.get(`HKDF-${ours}/derive`, { ikm, salt, info, len });
        assert.deepEqual(okm, Buffer.from(crypto.hkdfSync(theirs, ikm, salt, info, len)));
      }
    });
  }
  for (const bits of [128, 256]) {
    await check(`SHAKE${bits}`, async () => {
      for (let i = 0; i < rounds; i++) {
        const msg = random.some(20_000);
        const len = 1 + random.below(1000);
        const { md } = await kat.get(`SHAKE${bits}/digest`, { msg, len });
        assert.deepEqual(md, crypto.createHash(`shake${bits}`, { outputLength: len }).update(msg).digest());
      }
    });
  }
  await checkAead(t, 'AES-256-GCM', 'aes-256-gcm');
  await checkAead(t, 'CHACHA20-POLY1305', 'chacha20-poly1305');
  await check('X25519', async () => {
    for (let i = 0; i < rounds; i++) {
      const [mine, other] = [random.bytes(32), random.bytes(32)];
      const theirs = privateKey('X25519', other);
      const { k: minePublic } = await kat.get('X25519/derive', { sk: mine });
      assert.deepEqual(minePublic, publicOctets(privateKey('X25519', mine)));
      const { k } = await kat.get('X25519/derive', { sk: mine, pk: publicOctets(theirs) });
      const shared = crypto.diffieHellman({ privateKey: theirs, publicKey: publicKey('X25519', minePublic) });
      assert.deepEqual(k, shared);
    }
  });
}
