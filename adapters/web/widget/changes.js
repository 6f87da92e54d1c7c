/*
 * What can be done with a message that is there: copy it, change it, withdraw it, react to it; and how each of these is
 * shown while it is on its way. What is not known to be stored lies in the outbox, behind the message itself.
 */

import { el, icon, iconButton } from "./dom.js";
import { confirm } from "./menu.js";

const NAMES = { "👍": "reaction.thumbs_up", "🙏": "reaction.thanks", "❤️": "reaction.heart", "😊": "reaction.smile" };

export class Changes {
  /** `revise(item)` takes the message's words into the composer. */
  constructor({ words, chat, overlay, copy, revise }) {
    Object.assign(this, { words, chat, overlay, copy, revise });
  }

  /** The message as it will be once all that waits has arrived. `change` is what to say of it, if anything. */
  overlaid(item) {
    const changes = this.chat.outbox.changesOf(item.id);
    if (changes.length === 0) return item;
    const words = changes.filter(({ change }) => change.t !== "react");
    const coming = words.filter(({ state }) => state !== "failed").at(-1);
    const shown = { ...item, change: words.at(-1) ?? null };
    if (coming?.change.t === "withdraw") Object.assign(shown, { parts: null, withdrawn: true });
    else if (coming && !item.withdrawn) Object.assign(shown, { parts: coming.change.shown, translation: null });
    const reacted = changes.findLast(({ change }) => change.t === "react");
    if (reacted) shown.reaction = reacted.change.on ? reacted.change.reaction : null;
    return shown;
  }

  /** What a row must be drawn anew for. */
  says(item) {
    const { change } = item;
    return [item.reaction, this.#changeable(item), this.#reactable(item), change?.id, change?.state, change?.code];
  }

  /** The controls of one message. They are out of sight until it is pointed at, touched or focused. */
  controls(item, plain) {
    const { words } = this;
    const controls = [];
    if (item.parts) controls.push(...this.#reactions(item));
    if (item.parts && !item.entry) controls.push(this.#control("copy", "message.copy", () => this.copy(plain(item))));
    if (this.#changeable(item) && item.parts.some((part) => part.type === "text"))
      controls.push(this.#control("edit", "message.edit", () => this.revise(item)));
    if (this.#changeable(item)) {
      const withdraw = this.#control("withdraw", "message.withdraw", () => this.#ask(item, withdraw));
      controls.push(withdraw);
    }
    if (controls.length === 0) return null;
    return el("div", { class: "actions", role: "group", "aria-label": words.text("message.actions") }, ...controls);
  }

  /** Below the words: that they were changed, and the customer's own reaction. */
  marks(item) {
    const { words } = this;
    const edited = item.parts && (item.edited ?? item.rev > 0) && el("span", { class: "edited" }, words.text("message.edited"));
    const own = item.parts && item.reaction && this.#own(item);
    return edited || own ? el("div", { class: "marks" }, own, edited) : null;
  }

  /** What became of a change, in place. */
  state({ id, state, code, change }) {
    const { words, chat } = this;
    const what = change.t === "withdraw" ? "withdraw" : "revise";
    const failed = state === "failed";
    const line = el("div", { class: `state ${failed ? "failed" : state}`, role: failed ? "alert" : null });
    line.append(el("span", {}, words.text(failed ? `change.${what}.failed` : `change.${what}.sending`)));
    if (!failed) return line;
    if (words.has(`failed.${code}`)) line.append(" ", el("span", {}, words.text(`failed.${code}`)));
    const dismiss = el("button", { type: "button", class: "link", on: { click: () => chat.outbox.discard(id) } });
    dismiss.append(words.text("change.dismiss"));
    line.append(" ", dismiss);
    return line;
  }

  #changeable(item) {
    return item.from === "you" && !item.withdrawn && item.parts !== null && this.chat.mayChange(item);
  }

  #reactable(item) {
    return item.from === "operator" && !item.withdrawn && item.parts !== null && this.chat.mayReact(item);
  }

  #control(name, key, act) {
    return iconButton(name, this.words.text(key), act, { tabindex: "-1", "data-act": name });
  }

  #reactions(item) {
    if (!this.#reactable(item)) return [];
    return this.chat.house.reactions.map((reaction) => {
      const on = item.reaction === reaction;
      const name = this.#name(reaction);
      const attributes = { type: "button", class: "icon-button emoji", tabindex: "-1", "data-act": reaction };
      const told = { "aria-pressed": String(on), "aria-label": this.words.text("reaction.put", { name }), title: name };
      const click = () => this.chat.react(item, reaction, !on);
      return el("button", { ...attributes, ...told, on: { click } }, reaction);
    });
  }

  #own(item) {
    const { reaction } = item;
    const label = this.words.text("reaction.own", { name: this.#name(reaction) });
    const attributes = { type: "button", class: "reaction", tabindex: "-1", "aria-label": label, title: label };
    const off = () => this.chat.react(item, reaction, false);
    const locked = !this.#reactable(item);
    return el("button", { ...attributes, disabled: locked, "data-act": "own", on: { click: off } }, reaction);
  }

  #name(reaction) {
    return NAMES[reaction] ? this.words.text(NAMES[reaction]) : reaction;
  }

  #ask(item, back) {
    const { words, chat } = this;
    confirm(this.overlay, back, {
      title: words.text("withdraw.title"),
      text: words.text("withdraw.text"),
      yes: words.text("withdraw.yes"),
      no: words.text("withdraw.no"),
      act: () => chat.withdraw(item),
    });
  }
}

/** The bar over the composer while a message is being changed. */
export function revisingBar(words, cancel) {
  const stop = el("button", { type: "button", class: "link", on: { click: cancel } }, words.text("edit.cancel"));
  const label = el("span", {}, words.text("edit.label"));
  return el("div", { class: "revising", role: "status", hidden: true }, icon("edit"), label, stop);
}
