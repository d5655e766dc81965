// The files to store: chosen, dropped, listed, removed.

import { h, replace, toast } from "../dom.js";
import * as format from "../format.js";

/** Files in one go at most. */
const MOST_FILES = 100;

/** The choice of files. @param {() => {bytes: number, why: string}} limit Most bytes of a file, and than what a larger one is larger */
export function chosenFiles(limit) {
  const input = h("input", { type: "file", multiple: true, id: "files", class: "file-input" });
  const most = h("p", { class: "muted small" });
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
    most,
  );
  const own = {
    /** @type {File[]} */
    list: [],
    element: h("div", { class: "stack" }, zone, list),
    onchange() {},
    /** Takes another limit into account. */
    limited() {
      replace(most, `Up to ${format.bytes(limit().bytes)} each`);
      own.list = own.list.filter((file) => !tooLarge(file));
      show();
    },
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
  const tooLarge = (/** @type {File} */ file) => {
    const { bytes, why } = limit();
    if (file.size > bytes) toast(`${file.name} is larger ${why}. Use the command \`walrus store\`.`, "bad");
    return file.size > bytes;
  };
  const add = (/** @type {Iterable<File>} */ files) => {
    for (const file of files) {
      if (!tooLarge(file) && own.list.length < MOST_FILES) own.list.push(file);
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
  own.limited();
  addEventListener("dragover", over);
  addEventListener("drop", drop);
  addEventListener("dragleave", out);
  return own;
}

/** The pattern behind the drop zone: a matrix with its rows and columns extended. */
function dots() {
  return Array.from({ length: 7 * 3 }, () => h("i"));
}
