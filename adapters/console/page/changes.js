// What an operator can do with words that stand there: change or take back their own, and look into the customer's.

import { show } from "./dialogs.js";
import { el } from "./dom.js";
import { now } from "./times.js";
import { t } from "./words.js";

const LOOKING = "👀";
const HERE = "o:"; // written on this page; what was written elsewhere is changed where it was written

export class Changes {
  /** `within`: ms for which words may be changed; `act(what, fields)` does it, and throws a Refused. */
  constructor({ me, within, nameOf, act, attempt }) {
    Object.assign(this, { me, within, nameOf, act, attempt });
  }

  /** The controls beneath a line, or null. */
  controls(line) {
    const own = this.mine(line) ? [line.message.startsWith(HERE) && this.button("revise", () => this.askRevise(line)), this.button("withdraw", () => this.askWithdraw(line))] : [];
    const look = line.side === "customer" && line.message && !line.withdrawn && line.parts !== null && this.look(line);
    const send = line.side === "note" && line.message && !line.withdrawn && line.parts !== null && this.button("send_note", () => this.askSend(line));
    const all = [...own, look, send].filter(Boolean);
    return all.length > 0 ? el("p", { class: "line-actions" }, all) : null;
  }

  /** Who reacted, and how. */
  reactions({ reactions = [] }) {
    if (reactions.length === 0) return null;
    const said = ({ by, reaction }) => el("li", {}, t("thread.reacted", { name: by ? this.nameOf(by) : t("thread.customer"), reaction }));
    return el("ul", { class: "reactions" }, reactions.map(said));
  }

  mine({ side, by, message, withdrawn, parts, at }) {
    if (side === "customer" || by !== this.me || !message || withdrawn || parts === null) return false;
    return now() - at < this.within;
  }

  look({ message, reactions = [] }) {
    const on = reactions.some(({ by, reaction }) => by === this.me && reaction === LOOKING);
    const act = () => this.attempt("react", { message, reaction: LOOKING, on: !on });
    return el("button", { type: "button", class: "link-button", "aria-pressed": String(on), title: t("action.look"), "aria-label": t("action.look"), onclick: act }, LOOKING);
  }

  button(name, onclick) {
    return el("button", { type: "button", class: "link-button", onclick }, t(`action.${name}`));
  }

  askRevise(line) {
    const words = line.parts.filter((part) => part.type === "text").map((part) => part.text);
    const text = el("textarea", { rows: "6", maxlength: "4000", dir: "auto", "aria-label": t("revise.title"), autofocus: true });
    text.value = words.join("\n");
    const act = () => this.act("revise", { message: line.message, parts: [{ type: "text", text: text.value }] });
    show({ title: t("revise.title"), hint: t("revise.hint"), body: [text], submit: { label: t("revise.submit"), act } });
  }

  /** A note goes out by a press of its own, with its words before one's eyes. It stays what it is. */
  askSend({ message, parts }) {
    const words = parts.map((part) => (part.type === "text" ? part.text : part.name)).join("\n");
    const act = () => this.act("send", { message });
    show({ title: t("send_note.title"), hint: t("send_note.hint"), body: [el("p", { class: "template-preview", dir: "auto" }, words)], submit: { label: t("action.send_note"), act } });
  }

  askWithdraw({ message }) {
    const act = () => this.act("withdraw", { message });
    show({ title: t("withdraw.title"), hint: t("withdraw.hint"), body: [], submit: { label: t("action.withdraw"), act } });
  }
}
