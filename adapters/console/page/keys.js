// The keyboard. Nothing on this page needs a mouse; nothing here acts while somebody types.

import { el } from "./dom.js";
import { show } from "./dialogs.js";
import { t } from "./words.js";

const HELP = [
  [["j", "k"], "keys.move"],
  [["Enter"], "keys.open"],
  [["r"], "keys.reply"],
  [["n"], "keys.note"],
  [[";"], "keys.templates"],
  [["c"], "keys.claim"],
  [["h"], "keys.hold"],
  [["t"], "keys.transfer"],
  [["e"], "keys.resolve"],
  [["a"], "keys.accept"],
  [["d"], "keys.decline"],
  [["u"], "keys.escalate"],
  [["i"], "keys.check"],
  [["w"], "keys.held"],
  [["z"], "keys.undo"],
  [["s"], "keys.standing"],
  [["g"], "keys.team"],
  [["o"], "keys.incidents"],
  [["1", "2", "3", "4"], "keys.lists"],
  [["/"], "keys.search"],
  [["Esc"], "keys.leave"],
  [["?"], "keys.help"],
];

/** `actions` maps a key to what it does; it answers false when it did nothing. */
export function listen(actions) {
  const press = (event) => {
    if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (isField(event.target) && event.key !== "Escape") return;
    const action = actions[event.key];
    if (action && action(event) !== false) event.preventDefault();
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}

export function isField(target) {
  return target.matches?.("input, textarea, select, [contenteditable]") ?? false;
}

export function showHelp() {
  const rows = HELP.map(([keys, what]) =>
    el("div", { class: "key-row" }, el("dt", {}, keys.map((key) => el("kbd", {}, key))), el("dd", {}, t(what))),
  );
  show({ title: t("keys.title"), body: [el("dl", { class: "key-list" }, rows)], cancel: t("action.done") });
}
