// Words that nobody has said yet: of whoever is not enrolled, and those that can still be undone. They wait between the
// conversation and the composer, with the same choices as in their thread.

import { el, fill } from "./dom.js";
import { clock } from "./times.js";
import { t } from "./words.js";

export class Held {
  /** `act(what, {message})` sends or keeps; `content(parts)` draws words; `onNone()` takes the focus when all is decided. */
  constructor({ nameOf, act, content, onNone }) {
    Object.assign(this, { nameOf, act, content, onNone });
    this.list = el("ul", {});
    this.said = el("p", { class: "sr", role: "status" });
    this.node = el("section", { class: "held", "aria-label": t("held.label"), hidden: true }, this.list, this.said);
  }

  show(words) {
    const signature = JSON.stringify(words.map(({ parts, ...one }) => ({ ...one, parts: parts?.map(({ url: _, ...part }) => part) })));
    if (signature === this.signature) return;
    this.words = words;
    const more = words.length > this.list.childElementCount;
    this.signature = signature;
    const focused = this.list.contains(document.activeElement) && document.activeElement.dataset.focus;
    fill(this.list, ...words.map((one) => this.item(one)));
    this.node.hidden = words.length === 0;
    this.said.textContent = more ? t("held.label") : "";
    if (focused) (this.list.querySelector(`[data-focus="${CSS.escape(focused)}"]`) ?? this.first())?.focus();
    if (focused && !this.list.contains(document.activeElement)) this.onNone();
  }

  first() {
    return this.list.querySelector("button");
  }

  /** Going there sends nothing: that takes a press of its own. */
  focus() {
    const first = this.first();
    first?.focus();
    return Boolean(first);
  }

  /** Take back the latest reply of theirs that has not left yet; false when there is none. */
  undo() {
    const mine = (this.words ?? []).filter((one) => one.mine && one.until !== null);
    if (!mine.length) return false;
    this.act("keep", { message: mine.at(-1).message });
    return true;
  }

  item(one) {
    const unknown = one.until === null;
    const why = unknown ? t("held.unknown", { author: one.author }) : t("held.undo", { name: this.nameOf(one.operator), time: clock(one.until) });
    const press = (what, name) => el("button", { type: "button", class: "button small", data: { focus: `${what} ${one.message}` }, onclick: () => this.act(what, { message: one.message }) }, t(`action.${name}`));
    const choices = unknown ? [press("send", "send_as"), press("keep", "keep")] : [press("keep", "undo"), press("send", "send_now")];
    return el(
      "li",
      { class: "held-item" },
      el("p", { class: "held-why" }, why),
      el("div", { class: "held-words" }, one.parts === null ? el("p", { class: "gone" }, t("thread.erased")) : this.content(one.parts)),
      one.mine && el("p", { class: "held-choices" }, choices),
    );
  }
}
