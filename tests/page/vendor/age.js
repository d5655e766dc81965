// Encryption: passphrases, X25519 recipients and identities, files as `age` writes them.
export { Decrypter, Encrypter, armor, generateX25519Identity, identityToRecipient } from "age-encryption";
