// Encryption, before anything leaves the browser. What is written is the age format (age-encryption.org/v1): the `age`
// tool and `walrus read --identity` read it, and this page reads what they write.

import { Decrypter, Encrypter, armor, generateX25519Identity, identityToRecipient } from "../vendor/age.js";
import { HeaderWatch, contentLength, padding } from "./padding.js";

/**
 * Who can read: whoever knows the passphrase, or the holders of the keys of these recipients.
 * @typedef {{passphrase: string} | {recipients: string[]}} Readers
 */
/** @typedef {{passphrase: string} | {identities: string[]}} Key */

/** Every age file begins so. */
const MAGIC = "age-encryption.org/v1\n";
const ARMORED = "-----BEGIN AGE ENCRYPTED FILE-----";

/** A new key pair. */
export async function newKey() {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** Text of a key file, as `age-keygen` writes it. @param {{identity: string, recipient: string}} key */
export const keyFile = (key) =>
  `# created: ${new Date().toISOString()}\n# public key: ${key.recipient}\n${key.identity}\n`;

/** Recipients in a text, one a line or separated by blanks. Throws when one is not an age recipient. @param {string} text */
export function parseRecipients(text) {
  const found = text.split(/[\s,]+/).filter((word) => word !== "");
  if (found.length === 0) throw new Error("Enter a recipient (age1…), or make a key pair.");
  for (const each of found) {
    try {
      new Encrypter().addRecipient(each);
    } catch {
      throw new Error(`“${each.slice(0, 24)}” is not an age recipient; they begin with age1.`);
    }
  }
  return found;
}

/** Identities in a key file's text. @param {string} text */
export function parseIdentities(text) {
  const lines = text.split(/\s*\n\s*/).filter((line) => line !== "" && !line.startsWith("#"));
  if (lines.length === 0)
    throw new Error("There is no key in that. Key files have a line that begins with AGE-SECRET-KEY-1.");
  for (const line of lines) {
    try {
      new Decrypter().addIdentity(line);
    } catch {
      throw new Error("That is not an age key; it should begin with AGE-SECRET-KEY-1.");
    }
  }
  return lines;
}

/**
 * A file, encrypted as a stream; the browser may keep the result on disk.
 * @param {Blob} file
 * @param {Readers} readers
 * @param {boolean} padded Whether its length is hidden too
 * @param {(done: number) => void} progress Told of plain bytes that are done
 * @returns {Promise<Blob>}
 */
export async function encrypt(file, readers, padded, progress) {
  const encrypter = new Encrypter();
  if ("passphrase" in readers) encrypter.setPassphrase(readers.passphrase);
  else for (const each of readers.recipients) encrypter.addRecipient(each);
  const plain = counted(file.stream(), progress);
  if (!padded) return gather(await encrypter.encrypt(plain));
  const watch = new HeaderWatch();
  const sealed = await encrypter.encrypt(plain.pipeThrough(padding(file.size, watch.header)));
  return gather(sealed.pipeThrough(/** @type {any} */ (watch.stream)));
}

/**
 * What was encrypted, in plain. Throws when the key does not fit or a byte was changed.
 * @param {Blob} file
 * @param {Key} key
 * @param {(done: number) => void} progress Told of encrypted bytes that are done
 * @returns {Promise<Blob>}
 */
export async function decrypt(file, key, progress) {
  const decrypter = new Decrypter();
  if ("passphrase" in key) decrypter.addPassphrase(key.passphrase);
  else for (const each of key.identities) decrypter.addIdentity(each);
  try {
    const head = await file.slice(0, ARMORED.length).text();
    const sealed = head === ARMORED ? new Blob([/** @type {any} */ (armor).decode(await file.text())]) : file;
    const plain = await gather(await decrypter.decrypt(counted(sealed.stream(), progress)));
    return plain.slice(0, await contentLength(sealed, plain));
  } catch (error) {
    const message = String(/** @type {any} */ (error)?.message ?? error);
    if (/no identity matched/i.test(message)) {
      throw new Error(
        "passphrase" in key ? "That passphrase does not open this file." : "None of these keys opens this file.",
      );
    }
    throw new Error(`The file cannot be decrypted: ${message}.`);
  }
}

/** Whether a file's first bytes are those of an encrypted one. @param {Blob} head */
export async function isEncrypted(head) {
  const text = await head.slice(0, ARMORED.length).text();
  return text.startsWith(MAGIC) || text === ARMORED;
}

/** Length of what `isEncrypted` looks at. */
export const HEAD_BYTES = ARMORED.length;

/** @param {ReadableStream<any>} stream @returns {Promise<Blob>} */
const gather = (stream) => new Response(stream).blob();

/** @param {ReadableStream<Uint8Array>} stream @param {(done: number) => void} progress @returns {any} */
function counted(stream, progress) {
  let done = 0;
  const counter = new TransformStream({
    transform(chunk, controller) {
      done += chunk.byteLength;
      progress(done);
      controller.enqueue(chunk);
    },
  });
  return stream.pipeThrough(counter);
}
