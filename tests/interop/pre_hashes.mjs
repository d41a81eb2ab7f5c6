// The hashes of the pre-hash forms, by their names here, as noble has them.
export async function preHashes(load) {
  const sha2 = await load('@noble/hashes/sha2.js');
  const sha3 = await load('@noble/hashes/sha3.js');
  return {
    'SHA2-224': sha2.sha224,
    'SHA2-256': sha2.sha256,
    'SHA2-384': sha2.sha384,
    'SHA2-512': sha2.sha512,
    'SHA2-512/224': sha2.sha512_224,
    'SHA2-512/256': sha2.sha512_256,
    'SHA3-224': sha3.sha3_224,
    'SHA3-256': sha3.sha3_256,
    'SHA3-384': sha3.sha3_384,
    'SHA3-512': sha3.sha3_512,
    'SHAKE-128': sha3.shake128_32,
    'SHAKE-256': sha3.shake256_64,
  };
}
