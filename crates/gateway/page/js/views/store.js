// Storing files: choose, say for how long and for whom, see the price, watch it happen, get the links.

import { explain } from "../chain.js";
import { h, replace } from "../dom.js";
import * as network from "../network.js";
import { sealedSize } from "../padding.js";
import * as wallet from "../wallet.js";
import { chosenFiles } from "./files.js";
import { payerChoice, payers } from "./payer.js";
import { enqueue, queueList } from "./queue.js";
import { readersChoice } from "./readers.js";
import { costTable, untilChoice } from "./terms.js";

/** @type {import("../main.js").View} */
export function storeView(main) {
  const { publisher } = network.config();
  if (payers().length === 0) {
    main.append(
      h("h1", null, "Store a file"),
      h(
        "p",
        { class: "notice" },
        "This gateway serves blobs but does not store any. Use a gateway with the publisher or the relay role, or the command `walrus store`.",
      ),
    );
    return;
  }
  const payer = payerChoice(() => paidBy());
  const files = chosenFiles(payer.limits);
  const until = untilChoice(payer.limits().epochs, () => cost.update());
  const readers = readersChoice();
  const deletable = h("input", { type: "checkbox", id: "deletable", checked: true });
  const publish = h("input", { type: "checkbox", id: "publish-name", checked: true });
  const publishRow = check(
    publish,
    "Publish name and type",
    "Written next to the blob on the chain, for everybody to see. Off: only this browser remembers the name.",
  );
  const together = h("input", { type: "checkbox", id: "together", onchange: () => files.onchange() });
  const togetherRow = check(
    together,
    "Store them together, as a quilt",
    "One blob for all: much cheaper for small files. Each can still be read alone, and all end together.",
  );
  const mayBeQuilt = () => files.list.length > 1 && readers.kind() === "none";
  const asQuilt = () => together.checked && mayBeQuilt();
  const sealed = (/** @type {number} */ size) =>
    readers.kind() === "none" ? size : sealedSize(size, readers.padded());
  const cost = costTable(files, until, asQuilt, sealed, payer.value);
  const token = h("input", { id: "token", type: "password", autocomplete: "off", "aria-describedby": "token-about" });
  const begin = h("button", { class: "button primary big", type: "submit", disabled: true }, "Store");
  const queue = queueList();
  const problem = h("p", { class: "problem", role: "alert", hidden: true });

  readers.onchange = () => {
    // A name that tells what is inside would give away what encryption hides.
    publish.checked = readers.kind() === "none";
    files.onchange();
  };
  files.onchange = () => {
    begin.disabled = files.list.length === 0 || (payer.value() === "account" && !wallet.account());
    togetherRow.hidden = !mayBeQuilt();
    replace(begin, files.list.length > 1 ? `Store ${files.list.length} files` : "Store");
    options.hidden = files.list.length === 0;
    form.classList.toggle("chosen-some", files.list.length > 0);
    cost.update();
  };
  const paidBy = () => {
    payer.show();
    publish.disabled = wallet.account() === null;
    tokenRow.hidden = payer.value() !== "gateway" || !publisher?.authentication;
    until.atMost(payer.limits().epochs);
    files.limited();
    files.onchange();
  };
  const tokenRow = h(
    "div",
    { class: "panel stack tight all" },
    h("label", { for: "token" }, "Access token"),
    token,
    h(
      "p",
      { class: "muted small", id: "token-about" },
      "This gateway stores only for those to whom its operator gave a token.",
    ),
  );

  const options = h(
    "div",
    { class: "options", hidden: true },
    togetherRow,
    h("fieldset", { class: "panel" }, h("legend", null, "Keep it"), until.element),
    h("fieldset", { class: "panel" }, h("legend", null, "Who can read it"), readers.element),
    h(
      "fieldset",
      { class: "panel" },
      h("legend", null, "Its token"),
      check(
        deletable,
        "Deletable",
        "The owner may delete it before its end, and gets the unused storage back. Off: nobody can.",
      ),
      publishRow,
    ),
    h("fieldset", { class: "panel all" }, h("legend", null, "Paid by"), payer.element),
    tokenRow,
    h("div", { class: "panel total" }, cost.element, problem, begin),
  );
  const form = h("form", { class: "stack", "aria-label": "Store files" }, files.element, options);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    problem.hidden = true;
    try {
      const wish = {
        payer: payer.value(),
        epochs: until.epochs(),
        deletable: deletable.checked,
        owner: wallet.account()?.address ?? null,
        readers: readers.value(),
        padded: readers.padded(),
        token: token.value.trim(),
      };
      const publishName = publish.checked && !publish.disabled;
      const quilt = asQuilt();
      const taken = files.take();
      for (const each of quilt ? [taken] : taken.map((file) => [file])) enqueue(each, wish, publishName);
      queue.scrollIntoView({ block: "nearest" });
      files.onchange();
    } catch (error) {
      replace(problem, explain(error).message);
      problem.hidden = false;
    }
  });
  main.append(
    h(
      "div",
      { class: "hero" },
      h("h1", null, "Store a file"),
      h(
        "p",
        { class: "lead" },
        "It is cut into slivers and spread over independent nodes. A third of them may vanish, and it still comes back whole.",
      ),
    ),
    form,
    queue,
  );
  paidBy();
  wallet.news.addEventListener("change", paidBy);
  return () => {
    wallet.news.removeEventListener("change", paidBy);
    files.leave();
  };
}

/** @param {HTMLInputElement} input @param {string} title @param {string} text */
function check(input, title, text) {
  const id = `${input.id}-about`;
  input.setAttribute("aria-describedby", id);
  return h(
    "div",
    { class: "check" },
    input,
    h("div", null, h("label", { for: input.id }, title), h("p", { class: "muted small", id }, text)),
  );
}
