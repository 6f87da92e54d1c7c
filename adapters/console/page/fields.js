// Fields for words in every language that customers read.

import { el } from "./dom.js";
import { LANGUAGES, t } from "./words.js";

/** One field per language. `read()` gives what was written; `onChange` hears of every change. */
export function wordFields({ legend, hint, limit, lines = 1, values = {}, onChange }) {
  const inputs = LANGUAGES.map((tag) => [tag, field({ limit, lines, tag, value: values[tag] ?? "", onChange })]);
  const node = el(
    "fieldset",
    { class: "word-fields" },
    el("legend", {}, legend),
    hint && el("p", { class: "hint" }, hint),
    inputs.map(([tag, input]) => el("label", { class: "field" }, t(`language.${tag}`), input)),
  );
  const read = () => Object.fromEntries(inputs.map(([tag, input]) => [tag, input.value.trim()]).filter(([, text]) => text));
  return { node, read };
}

function field({ limit, lines, tag, value, onChange }) {
  const shared = { maxlength: String(limit), lang: tag, dir: "auto", autocomplete: "off", oninput: onChange };
  if (lines === 1) return el("input", { type: "text", ...shared, value });
  return el("textarea", { rows: String(lines), ...shared, value });
}

/** Boxes to tick: `options` are [value, label]. */
export function ticks(legend, options, onChange) {
  const boxes = options.map(([value, label]) => [value, el("input", { type: "checkbox", value, onchange: onChange }), label]);
  const node = el("fieldset", { class: "ticks" }, el("legend", {}, legend), boxes.map(([, box, label]) => el("label", { class: "tick" }, box, el("span", {}, label))));
  return { node, read: () => boxes.filter(([, box]) => box.checked).map(([value]) => value) };
}

/** One of several; `options` are [value, label]. */
export function select(label, options, chosen, onChange) {
  const input = el("select", { onchange: onChange }, options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
  return { node: el("label", { class: "field" }, label, input), read: () => input.value };
}
