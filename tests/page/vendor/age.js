// Encryption: passphrases, X25519 recipients and identities, files as `age` writes them. The hash is for the padding;
// the browser has its own only on pages served over TLS.
export { sha256 } from "@noble/hashes/sha2.js";
export { Decrypter, Encrypter, armor, generateX25519Identity, identityToRecipient } from "age-encryption";
