// Stores in progress and done. They run one after another: each is spread over all nodes already.

import { h } from "../dom.js";
import { uploadCard } from "./upload-card.js";

/** Cards outlive the view, so that one may look elsewhere meanwhile. @type {HTMLElement[]} */
const cards = [];

let chain = Promise.resolve();

/** The list of all cards, newest first. */
export const queueList = () => h("div", { class: "stack", id: "uploads" }, cards);

/**
 * Stores, after all that was begun before.
 * @param {File[]} files Several are stored together as a quilt
 * @param {import("../upload.js").Wish} wish
 * @param {boolean} publishName
 * @param {import("../own.js").Kept} [kept] What is done already
 */
export function enqueue(files, wish, publishName, kept) {
  const card = uploadCard(files, wish, publishName, kept);
  cards.unshift(card.element);
  document.querySelector("#uploads")?.prepend(card.element);
  chain = chain.then(card.run);
}
