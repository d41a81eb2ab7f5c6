# Each algorithm that alone.cmake links: its name, the source files below crypto/ it may hold, and its operations.
alone(equal_in_constant_time FILES "secret|constant_time" OPERATIONS equal_32)
alone(SHA2-256 FILES "${sha2}" OPERATIONS sha2_256)
alone(SHA2-512 FILES "${sha2}" OPERATIONS sha2_512)
alone(SHA3-256 FILES "sha3" OPERATIONS sha3_256)
alone(SHAKE256 FILES "sha3" OPERATIONS shake256)
alone(HMAC-SHA2-256 FILES "${sha2}" OPERATIONS hmac_sha2_256)
alone(HMAC-SHA3-256 FILES "sha3|secret" OPERATIONS hmac_sha3_256)
alone(HMAC-DRBG-SHA2-256 FILES "${sha2}" OPERATIONS hmac_drbg_sha2_256_instantiate hmac_drbg_sha2_256_generate)
