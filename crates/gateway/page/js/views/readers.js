// Who can read what is stored: everybody, whoever knows a passphrase, or the holder of a key.

import { copyButton, h, replace } from "../dom.js";
import { keyFile, newKey, parseRecipients } from "../secret.js";

/** Fewest characters of a passphrase. */
const SHORTEST = 10;

/** The choice as a part of a form. */
export function readersChoice() {
  const radio = (/** @type {string} */ value, /** @type {string} */ title, checked = false) => {
    const input = h("input", {
      type: "radio",
      name: "readers",
      value,
      id: `readers-${value}`,
      checked,
      onchange: () => show(),
    });
    return h("div", { class: "check" }, input, h("label", { for: `readers-${value}` }, title));
  };
  const passphrase = h("input", {
    type: "password",
    id: "passphrase",
    autocomplete: "new-password",
    minlength: SHORTEST,
  });
  const again = h("input", { type: "password", id: "passphrase-again", autocomplete: "new-password" });
  const recipients = h("textarea", {
    id: "recipients",
    rows: 2,
    spellcheck: "false",
    placeholder: "age1…",
    class: "mono",
  });
  const made = h("div", { class: "stack tight", "aria-live": "polite" });
  const byPassphrase = h(
    "div",
    { class: "stack tight sub" },
    h("label", { for: "passphrase" }, "Passphrase"),
    passphrase,
    h("label", { for: "passphrase-again" }, "The same again"),
    again,
  );
  const byKey = h(
    "div",
    { class: "stack tight sub" },
    h("label", { for: "recipients" }, "Recipients (public keys)"),
    recipients,
    h("div", { class: "row" }, h("button", { type: "button", class: "button", onclick: make }, "Make a key pair")),
    made,
  );
  const hide = h("input", {
    type: "checkbox",
    id: "padded",
    checked: true,
    onchange: () => own.onchange(),
    "aria-describedby": "padded-about",
  });
  const hideRow = h(
    "div",
    { class: "check divided" },
    hide,
    h(
      "div",
      null,
      h("label", { for: "padded" }, "Hide its length"),
      h(
        "p",
        { class: "muted small", id: "padded-about" },
        "At most 12 % larger; small files all look alike. Off: only then other age tools give back exactly the file.",
      ),
    ),
  );
  const note = h(
    "p",
    { class: "muted small" },
    "Encrypted here, before it leaves the browser. Whoever loses passphrase or key loses the file.",
  );
  const kind = () =>
    /** @type {HTMLInputElement | null} */ (element.querySelector("[name=readers]:checked"))?.value ?? "none";
  const element = h(
    "div",
    { class: "stack tight" },
    radio("none", "Everybody who has the blob id", true),
    radio("passphrase", "Whoever knows a passphrase"),
    byPassphrase,
    radio("key", "The holder of a key"),
    byKey,
    note,
    hideRow,
  );
  const own = { element, kind, value, padded: () => hide.checked, onchange() {} };

  function show() {
    byPassphrase.hidden = kind() !== "passphrase";
    byKey.hidden = kind() !== "key";
    note.hidden = kind() === "none";
    hideRow.hidden = kind() === "none";
    own.onchange();
  }

  async function make() {
    const key = await newKey();
    recipients.value = [recipients.value.trim(), key.recipient].filter((line) => line !== "").join("\n");
    const file = URL.createObjectURL(new Blob([keyFile(key)], { type: "text/plain" }));
    replace(
      made,
      h(
        "p",
        { class: "notice warn" },
        "Save this secret key now. This page forgets it; without it nobody can read what you store.",
      ),
      h(
        "div",
        { class: "row" },
        h("code", { class: "secret wrap grow", id: "identity" }, key.identity),
        copyButton(key.identity, "Secret key"),
      ),
      h("a", { class: "button primary", href: file, download: "walrus-key.txt" }, "Save the key file"),
    );
  }

  /** @returns {import("../secret.js").Readers | null} */
  function value() {
    if (kind() === "none") return null;
    if (kind() === "key") return { recipients: parseRecipients(recipients.value) };
    if (passphrase.value.length < SHORTEST)
      throw new Error(`A passphrase needs at least ${SHORTEST} characters; four random words are good.`);
    if (passphrase.value !== again.value) throw new Error("The two passphrases differ. Type them again.");
    return { passphrase: passphrase.value };
  }

  show();
  return own;
}
