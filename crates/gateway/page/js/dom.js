// Making and filling elements. Text is always set as text, so nothing from the network becomes markup.

/** What an element can hold: nodes, text, lists of them; null, undefined and false are left out. @typedef {any} Child */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {Element} element
 * @param {Record<string, any> | null | undefined} props `on…` are listeners, `style` an object of CSS properties,
 * `data` an object of data attributes, true an empty attribute; false, null and undefined are left out
 * @param {Child[]} children
 */
function fill(element, props, children) {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "style") {
      for (const [name, part] of Object.entries(value)) {
        /** @type {HTMLElement} */ (element).style.setProperty(name, String(part));
      }
    } else if (key === "data") Object.assign(/** @type {HTMLElement} */ (element).dataset, value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  append(element, children);
}

/** @param {Element} element @param {Child[]} children */
function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child instanceof Node ? child : String(child));
  }
}

/**
 * An HTML element.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any> | null} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  fill(element, props, children);
  return element;
}

/**
 * An SVG element.
 * @param {string} tag
 * @param {Record<string, any> | null} [props]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function s(tag, props, ...children) {
  const element = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  fill(element, props, children);
  return element;
}

/** Puts these children in place of all others. @param {Element} element @param {...Child} children */
export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/** @param {string} selector @returns {HTMLElement} */
export function must(selector) {
  const found = document.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no ${selector}`);
  return found;
}

/** Says something once, at the edge of the screen and to screen readers. @param {string} text @param {"ok" | "bad"} [kind] */
export function toast(text, kind = "ok") {
  const element = h("div", { class: `toast ${kind}` }, text);
  must("#toasts").append(element);
  setTimeout(() => element.remove(), kind === "bad" ? 12_000 : 5_000);
}

/** Copies text, and says so. @param {string} text @param {string} what */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    toast(`The browser did not allow copying. Here it is: ${text}`, "bad");
  }
}

/** A button that copies. @param {string} text @param {string} what @param {string} [label] */
export function copyButton(text, what, label) {
  const icon = s(
    "svg",
    { viewBox: "0 0 20 20", "aria-hidden": "true" },
    s("path", { d: "M7 7V3.5h9.5V13H13M3.500 7H13v9.5H3.5z" }),
  );
  const props = {
    type: "button",
    onclick: () => copy(text, what),
    "aria-label": label ? null : `Copy ${what.toLowerCase()}`,
  };
  return h("button", { ...props, class: label ? "button" : "icon-button small" }, label ? label : icon);
}

/**
 * A dialog with a form. Resolves when it closes, to whether it was carried out.
 * @param {object} options
 * @param {string} options.title
 * @param {Child[]} options.body
 * @param {string} options.action What the main button says
 * @param {boolean} [options.danger]
 * @param {(say: (text: string) => void) => Promise<void>} options.run Called on submit; an error is shown and keeps it open
 * @returns {Promise<boolean>}
 */
export function dialog({ title, body, action, danger, run }) {
  return new Promise((resolve) => {
    let done = false;
    const id = `dialog-${Math.random().toString(36).slice(2)}`;
    const status = h("p", { class: "dialog-status", role: "status", "aria-live": "polite" });
    const problem = h("p", { class: "problem", role: "alert", hidden: true });
    const submit = h("button", { class: `button ${danger ? "danger" : "primary"}`, type: "submit" }, action);
    const cancel = h("button", { class: "button", type: "button", onclick: () => element.close() }, "Cancel");
    const form = h(
      "form",
      { method: "dialog" },
      h("h2", { id }, title),
      ...body.map((each) => /** @type {any} */ (each)),
      problem,
      status,
      h("div", { class: "dialog-buttons" }, cancel, submit),
    );
    const element = h("dialog", { "aria-labelledby": id }, form);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      problem.hidden = true;
      submit.disabled = true;
      try {
        await run((text) => replace(status, text));
        done = true;
        element.close();
      } catch (error) {
        replace(status);
        replace(problem, error instanceof Error ? error.message : String(error));
        problem.hidden = false;
      } finally {
        submit.disabled = false;
      }
    });
    element.addEventListener("close", () => {
      element.remove();
      resolve(done);
    });
    document.body.append(element);
    element.showModal();
  });
}
