// Storing files: choose, say for how long and for whom, see the price, watch it happen, get the links.

import { explain } from "../chain.js";
import { h, replace, toast } from "../dom.js";
import * as format from "../format.js";
import * as network from "../network.js";
import { sealedSize } from "../padding.js";
import * as wallet from "../wallet.js";
import { readersChoice } from "./readers.js";
import { uploadCard } from "./upload-card.js";

/** Files in one go at most. */
const MOST_FILES = 100;

/** Cards of uploads outlive the view, so that one may look elsewhere meanwhile. @type {HTMLElement[]} */
const cards = [];

/** @type {import("../main.js").View} */
export function storeView(main) {
  const { publisher } = network.config();
  if (!publisher) {
    main.append(
      h("h1", null, "Store a file"),
      h(
        "p",
        { class: "notice" },
        "This gateway serves blobs but does not store any. Use a gateway with the publisher role, or the command `walrus store`.",
      ),
    );
    return;
  }
  const files = chosenFiles(publisher.max_blob_bytes);
  const until = untilChoice(publisher.max_epochs, () => cost.update());
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
  const asQuilt = () => together.checked && files.list.length > 1 && readers.kind() === "none";
  const sealed = (/** @type {number} */ size) =>
    readers.kind() === "none" ? size : sealedSize(size, readers.padded());
  const cost = costTable(files, until, asQuilt, sealed);
  const token = h("input", { id: "token", type: "password", autocomplete: "off", "aria-describedby": "token-about" });
  const owner = h("p", { class: "muted small" });
  const begin = h("button", { class: "button primary big", type: "submit", disabled: true }, "Store");
  const queue = h("div", { class: "stack", id: "uploads" }, cards);
  const problem = h("p", { class: "problem", role: "alert", hidden: true });

  readers.onchange = () => {
    // A name that tells what is inside would give away what encryption hides.
    publish.checked = readers.kind() === "none";
    files.onchange();
  };
  files.onchange = () => {
    begin.disabled = files.list.length === 0;
    togetherRow.hidden = files.list.length < 2 || readers.kind() !== "none";
    replace(begin, files.list.length > 1 ? `Store ${files.list.length} files` : "Store");
    options.hidden = files.list.length === 0;
    form.classList.toggle("chosen-some", files.list.length > 0);
    cost.update();
  };
  const showOwner = () => {
    const account = wallet.account();
    publish.disabled = account === null;
    replace(
      owner,
      account
        ? [
            "Paid by this gateway. The blob's token goes to ",
            h("span", { class: "mono" }, format.short(account.address)),
            ` (${account.name}).`,
          ]
        : "Paid by this gateway, which also keeps the blob's token. Connect an account to own it, extend it and delete it.",
    );
  };

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
    publisher.authentication &&
      h(
        "div",
        { class: "panel stack tight all" },
        h("label", { for: "token" }, "Access token"),
        token,
        h(
          "p",
          { class: "muted small", id: "token-about" },
          "This gateway stores only for those to whom its operator gave a token.",
        ),
      ),
    h("div", { class: "panel total" }, cost.element, owner, problem, begin),
  );
  const form = h("form", { class: "stack", "aria-label": "Store files" }, files.element, options);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    problem.hidden = true;
    try {
      const wish = {
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
      enqueue(quilt ? [taken] : taken.map((file) => [file]), wish, publishName, queue);
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
  showOwner();
  wallet.news.addEventListener("change", showOwner);
  return () => {
    wallet.news.removeEventListener("change", showOwner);
    files.leave();
  };
}

/** Stores run one after another: each is spread over all nodes already. */
let chain = Promise.resolve();

/** @param {File[][]} blobs The files of each @param {import("../upload.js").Wish} wish @param {boolean} publishName @param {HTMLElement} queue */
function enqueue(blobs, wish, publishName, queue) {
  for (const files of blobs) {
    const card = uploadCard(files, wish, publishName);
    cards.unshift(card.element);
    queue.prepend(card.element);
    chain = chain.then(card.run);
  }
  queue.scrollIntoView({ block: "nearest" });
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

// ----- Files

/** @param {number} most Bytes of a file */
function chosenFiles(most) {
  const input = h("input", { type: "file", multiple: true, id: "files", class: "file-input" });
  const list = h("ul", { class: "chosen", "aria-label": "Chosen files" });
  const zone = h(
    "div",
    { class: "drop" },
    h("div", { class: "drop-field", "aria-hidden": "true" }, dots()),
    input,
    h(
      "label",
      { for: "files", class: "drop-label" },
      h("span", { class: "drop-title" }, "Drop files here"),
      h("span", { class: "button" }, "Choose files"),
    ),
    h("p", { class: "muted small" }, `Up to ${format.bytes(most)} each`),
  );
  const own = {
    /** @type {File[]} */
    list: [],
    element: h("div", { class: "stack" }, zone, list),
    onchange() {},
    /** Hands the files over. */
    take() {
      const taken = own.list;
      own.list = [];
      show();
      return taken;
    },
    leave() {
      removeEventListener("dragover", over);
      removeEventListener("drop", drop);
      removeEventListener("dragleave", out);
    },
  };
  const show = () => {
    replace(
      list,
      own.list.map((file) =>
        h(
          "li",
          null,
          h("span", { class: "grow wrap" }, file.name),
          h("span", { class: "muted" }, format.bytes(file.size)),
          h(
            "button",
            {
              type: "button",
              class: "icon-button small",
              "aria-label": `Remove ${file.name}`,
              onclick: () => remove(file),
            },
            "×",
          ),
        ),
      ),
    );
  };
  const remove = (/** @type {File} */ file) => {
    own.list = own.list.filter((each) => each !== file);
    show();
    own.onchange();
  };
  const add = (/** @type {Iterable<File>} */ files) => {
    for (const file of files) {
      if (file.size > most) {
        toast(`${file.name} is larger than this gateway takes. Use the command \`walrus store\`.`, "bad");
      } else if (own.list.length < MOST_FILES) own.list.push(file);
    }
    show();
    own.onchange();
  };
  input.addEventListener("change", () => {
    add(input.files ?? []);
    input.value = "";
  });
  const over = (/** @type {DragEvent} */ event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    zone.classList.add("over");
  };
  const out = (/** @type {DragEvent} */ event) => {
    if (event.relatedTarget === null) zone.classList.remove("over");
  };
  const drop = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    zone.classList.remove("over");
    add(event.dataTransfer?.files ?? []);
  };
  addEventListener("dragover", over);
  addEventListener("drop", drop);
  addEventListener("dragleave", out);
  return own;
}

/** The pattern behind the drop zone: a matrix with its rows and columns extended. */
function dots() {
  return Array.from({ length: 7 * 3 }, () => h("i"));
}

// ----- The end

/** @param {number} longest Epochs that the gateway pays for @param {() => void} changed */
function untilChoice(longest, changed) {
  const most = Math.max(1, Math.min(longest, Number(network.overview().parameters.maxEpochsAhead)));
  const daily = network.epochSeconds() >= 86_400;
  const slider = h("input", {
    type: "range",
    min: 1,
    max: most,
    value: Math.min(most, daily ? 7 : 5),
    id: "epochs",
    class: "slider",
  });
  const day = h("input", { type: daily ? "date" : "datetime-local", id: "until" });
  const text = h("p", { class: "until", "aria-live": "polite" });
  const epochs = () => Number(slider.value);
  const end = () => network.epochStart(network.epoch() + epochs());
  const local = (/** @type {number} */ seconds) => {
    const at = new Date(seconds * 1000);
    const iso = new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString();
    return iso.slice(0, daily ? 10 : 16);
  };
  const show = () => {
    day.min = local(network.epochStart(network.epoch() + 1));
    day.max = local(network.epochStart(network.epoch() + most));
    day.value = local(end());
    slider.setAttribute("aria-valuetext", `${format.count(epochs(), "epoch")}, until ${format.date(end())}`);
    const at = daily ? format.date(end()) : format.dateTime(end());
    replace(
      text,
      h("strong", null, `until ${at}`),
      h("span", { class: "muted" }, ` · ${format.span(end() - format.now())} · ${format.count(epochs(), "epoch")}`),
    );
    changed();
  };
  slider.addEventListener("input", show);
  day.addEventListener("change", () => {
    const wanted = new Date(daily ? `${day.value}T00:00` : day.value).getTime() / 1000;
    if (Number.isNaN(wanted)) return;
    const first = network.epochStart(network.epoch() + 1);
    slider.value = String(Math.max(1, Math.min(most, 1 + Math.ceil((wanted - first) / network.epochSeconds()))));
    show();
  });
  queueMicrotask(show);
  const element = h(
    "div",
    { class: "stack tight" },
    text,
    h("label", { for: "epochs", class: "small muted" }, "Epochs, this one counted"),
    slider,
    h(
      "div",
      { class: "field-row" },
      h("label", { for: "until", class: "small muted" }, "or the latest day it is needed"),
      day,
    ),
  );
  return { element, epochs };
}

// ----- The price

/** @param {{list: File[]}} files @param {{epochs: () => number}} until @param {() => boolean} asQuilt @param {(size: number) => number} sealed Size after encryption */
function costTable(files, until, asQuilt, sealed) {
  const price = h("dd", { class: "price" }, "…");
  const encoded = h("dd", null, "…");
  const element = h(
    "dl",
    { class: "cost", "aria-live": "polite" },
    h("div", null, h("dt", null, "Price"), price),
    h("div", null, h("dt", null, "Takes on all nodes together"), encoded),
  );
  let asked = 0;
  const update = async () => {
    if (files.list.length === 0) return;
    asked += 1;
    const mine = asked;
    try {
      const sizes = files.list.map((file) => sealed(file.size));
      // A quilt is a little larger than its files; by how much is known only when it is laid out.
      const blobs = asQuilt() ? [sizes.reduce((sum, size) => sum + size, 0)] : sizes;
      const quotes = await Promise.all(blobs.map((size) => network.quote(size, until.epochs())));
      // An older question's answer must not overwrite a newer one's.
      if (mine !== asked) return;
      const size = quotes.reduce((sum, each) => sum + each.encodedSize, 0);
      replace(price, asQuilt() ? "about " : null, format.wal(quotes.reduce((sum, each) => sum + each.cost, 0n)));
      replace(encoded, format.bytes(size));
    } catch (error) {
      if (mine === asked) replace(price, h("span", { class: "problem" }, explain(error).message));
    }
  };
  return { element, update };
}
