// The check of a certificate: BLS12-381 with keys in G1 and signatures in G2.
export { bls12_381 } from "@noble/curves/bls12-381.js";
