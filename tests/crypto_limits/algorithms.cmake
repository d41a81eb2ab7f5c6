# Each algorithm that alone.cmake links: its name, the source files below crypto/ it may hold, and its operations.
alone(equal_in_constant_time FILES "secret|constant_time" OPERATIONS equal_32)
alone(SHA2-256 FILES "${sha2}" OPERATIONS sha2_256)
alone("SHA2-256 batch" FILES "${sha2}|sha2_batch|sha2_eight_avx2" OPERATIONS sha2_256_batch)
alone(SHA2-512 FILES "${sha2}" OPERATIONS sha2_512)
alone(SHA3-256 FILES "sha3" OPERATIONS sha3_256)
alone(SHAKE256 FILES "sha3" OPERATIONS shake256)
alone(HMAC-SHA2-256 FILES "${sha2}" OPERATIONS hmac_sha2_256)
alone(HMAC-SHA3-256 FILES "sha3|secret" OPERATIONS hmac_sha3_256)
alone(HMAC-DRBG-SHA2-256 FILES "${sha2}" OPERATIONS hmac_drbg_sha2_256_instantiate hmac_drbg_sha2_256_generate)

set(aes "${common}|aead/.*|aes/.*")
set(chacha20 "${common}|aead/.*|chacha20/.*")
alone(AES-256-GCM FILES "${aes}" OPERATIONS aes_256_gcm_seal aes_256_gcm_open)
alone(CHACHA20-POLY1305 FILES "${chacha20}" OPERATIONS chacha20_poly1305_seal chacha20_poly1305_open)
alone("CHACHA20-POLY1305 open only" FILES "${chacha20}" OPERATIONS chacha20_poly1305_open WITHOUT "::seal\\(")
alone(HKDF-SHA2-256 FILES "${sha2}" OPERATIONS hkdf_sha2_256)
alone(X25519 FILES "${common}|x25519/.*" OPERATIONS x25519_public_key x25519_derive)

set(ml_kem "${sha3}|ml_kem/[a-z0-9_]+")
foreach(size 512 768 1024)
  alone(ML-KEM-${size} FILES "${ml_kem}"
      OPERATIONS ml_kem_${size}_generate ml_kem_${size}_encapsulate ml_kem_${size}_decapsulate)
endforeach()
alone("ML-KEM-768 encapsulate only" FILES "${ml_kem}" OPERATIONS ml_kem_768_encapsulate
    WITHOUT "::generate\\(" "::decapsulate\\(")

set(ml_dsa "${sha3}|signed_message|ml_dsa/.*")
foreach(set 44 65 87)
  alone(ML-DSA-${set} FILES "${ml_dsa}"
      OPERATIONS signed_message_pure ml_dsa_${set}_generate ml_dsa_${set}_sign ml_dsa_${set}_verify)
endforeach()
# What the boot loader links.
alone("ML-DSA-87 verify only" FILES "${ml_dsa}" OPERATIONS ml_dsa_87_verify signed_message_pure
    WITHOUT "::sign\\(" "::generate\\(" "MlDsa44" "MlDsa65")

set(slh_dsa "${common}|signed_message|slh_dsa/.*")
foreach(set 128s 128f 192s 192f 256s 256f)
  foreach(hash sha2 shake)
    set(operations slh_dsa_${hash}_${set}_generate slh_dsa_${hash}_${set}_sign slh_dsa_${hash}_${set}_verify)
    string(TOUPPER ${hash} name)
    if(hash STREQUAL "sha2")
      alone(SLH-DSA-${name}-${set} FILES "${slh_dsa}|${sha2}" OPERATIONS signed_message_pure ${operations})
    else()
      alone(SLH-DSA-${name}-${set} FILES "${slh_dsa}|${sha3}" OPERATIONS signed_message_pure ${operations})
    endif()
  endforeach()
endforeach()
alone("SLH-DSA-SHA2-128s verify only" FILES "${slh_dsa}|${sha2}" OPERATIONS slh_dsa_sha2_128s_verify signed_message_pure
    WITHOUT "::sign\\(" "::generate\\(" "Sha3" "Shake")
