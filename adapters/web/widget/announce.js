/*
 * What screen readers hear. The visible list is rebuilt in places, which would be read again and again; so it keeps
 * quiet, and what is new is said here, once, politely.
 */

import { el } from "./dom.js";

const KEPT = 8;

export class Announcer {
  constructor(label) {
    this.element = el("div", {
      class: "unseen",
      role: "log",
      "aria-live": "polite",
      "aria-relevant": "additions",
      "aria-label": label,
    });
  }

  clear() {
    this.element.replaceChildren();
  }

  say(text, lang) {
    this.element.append(el("p", { lang }, text));
    while (this.element.childElementCount > KEPT) this.element.firstElementChild.remove();
  }
}
