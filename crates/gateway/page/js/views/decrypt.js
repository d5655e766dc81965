// Opening an encrypted blob in the browser.

import { h, replace } from "../dom.js";
import { bar } from "../figures.js";
import { HEAD_BYTES, decrypt, isEncrypted, parseIdentities } from "../secret.js";
import { refusal } from "../transfer.js";

/**
 * A box to decrypt a blob; null when it is not encrypted.
 * @param {import("../blobs.js").Blob} blob
 * @param {string | null} name
 */
export async function decryptBox(blob, name) {
  if (blob.size < HEAD_BYTES) return null;
  const head = await fetch(`/v1/blobs/${blob.blobId}`, { headers: { range: `bytes=0-${HEAD_BYTES - 1}` } }).catch(
    () => null,
  );
  if (head?.status !== 206 || !(await isEncrypted(await head.blob()))) return null;
  const passphrase = h("input", { type: "password", id: "open-passphrase", autocomplete: "off" });
  const key = h("textarea", {
    id: "open-key",
    rows: 2,
    class: "mono",
    spellcheck: "false",
    placeholder: "AGE-SECRET-KEY-1…",
  });
  const file = h("input", { type: "file", id: "open-key-file", onchange: takeFile });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const status = h("div", { class: "stack tight", role: "status", "aria-live": "polite" });
  const open = h("button", { type: "submit", class: "button primary" }, "Decrypt");
  const form = h(
    "form",
    { class: "panel decrypt", "aria-label": "Decrypt" },
    h("h2", null, "This blob is encrypted"),
    h("p", { class: "muted" }, "It is opened here, in your browser. Neither passphrase nor key leaves it."),
    h(
      "div",
      { class: "columns" },
      h("div", { class: "stack tight" }, h("label", { for: "open-passphrase" }, "Passphrase"), passphrase),
      h(
        "div",
        { class: "stack tight" },
        h("label", { for: "open-key" }, "or secret key"),
        key,
        h("label", { for: "open-key-file", class: "small muted" }, "or key file"),
        file,
      ),
    ),
    problem,
    h("div", { class: "row" }, open),
    status,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    open.disabled = true;
    try {
      const plain = await openBlob(
        blob,
        passphrase.value !== "" ? { passphrase: passphrase.value } : { identities: parseIdentities(key.value) },
        status,
      );
      const url = URL.createObjectURL(plain);
      const link = h(
        "a",
        { class: "button primary", href: url, download: (name ?? "decrypted").replace(/\.age$/, "") },
        "Save the decrypted file",
      );
      replace(status, h("p", { class: "good" }, "Decrypted, and every byte checked."), link);
    } catch (error) {
      replace(status);
      replace(problem, error instanceof Error ? error.message : String(error));
      problem.hidden = false;
    } finally {
      open.disabled = false;
    }
  });
  async function takeFile() {
    const [chosen] = file.files ?? [];
    if (chosen) key.value = (await chosen.slice(0, 65_536).text()).trim();
  }
  return form;
}

/** @param {import("../blobs.js").Blob} blob @param {import("../secret.js").Key} key @param {HTMLElement} status */
async function openBlob(blob, key, status) {
  const progress = bar("Progress of decryption");
  const words = h("p", { class: "muted" }, "Downloading …");
  replace(status, words, progress.element);
  const response = await fetch(`/v1/blobs/${blob.blobId}`);
  if (!response.ok) throw new Error(refusal(response.status, await response.text()));
  const sealed = await response.blob();
  replace(words, "Decrypting …");
  return decrypt(sealed, key, (done) => progress.set(done / sealed.size));
}
