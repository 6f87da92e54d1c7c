// Replies that are ready: found by code or title, read as the customer will read them, and sent with nothing missing.

import { ask, newId } from "./api.js";
import { show, wording } from "./dialogs.js";
import { el, fill } from "./dom.js";
import { t } from "./words.js";

const GAP = /\{([A-Za-z][A-Za-z0-9_.-]{0,39})\}/g;
const folded = (text) => text.normalize("NFKC").toLowerCase();

/** `act(what, fields)` sends; `language` is the customer's. The window stands at once, so that what is typed behind the key
    that opens it is never taken for other keys; the templates come a moment later. */
export function askTemplate({ session, language, act }) {
  let templates = [];
  let options = [];
  let chosen = null;
  const search = el("input", { type: "search", id: "template-search", maxlength: "80", autocomplete: "off", autofocus: true, oninput: () => sift(), onkeydown: (event) => below(event) });
  const said = el("p", { class: "hint", role: "status" }, t("thread.loading"));
  const list = el("div", { class: "choices templates", role: "radiogroup", "aria-label": t("templates.title") });
  const checked = () => list.querySelector("input:checked");
  const sift = () => {
    const sought = folded(search.value.trim()).replace(/^;/, "");
    for (const [place, one] of templates.entries()) options[place].hidden = !folded(`${one.code} ${one.title}`).includes(sought);
    const first = options.find((one) => !one.hidden)?.querySelector("input");
    if (checked()?.closest("label").hidden ?? true) for (const input of list.querySelectorAll("input")) input.checked = input === first;
    if (options.length) said.textContent = first ? "" : t("templates.no_match");
    dialog.querySelector("[type=submit]").disabled = !first;
  };
  const below = (event) => {
    if (event.key !== "ArrowDown" || event.isComposing || !checked()) return;
    event.preventDefault();
    checked().focus();
  };
  const submit = { label: t("templates.next"), act: () => (chosen = templates[Number(checked().value)]) };
  const body = [el("div", { class: "field" }, el("label", { for: "template-search" }, t("templates.search")), search), list, said];
  const dialog = show({ title: t("templates.title"), hint: t("templates.hint"), body, submit, wide: true });
  dialog.addEventListener("close", () => chosen && read(chosen, language, act));
  sift();
  const come = (answer) => {
    templates = answer.templates;
    options = templates.map((one, place) => option(one, place, language));
    fill(list, ...options);
    said.textContent = templates.length ? "" : t("templates.none");
    sift();
  };
  ask(`sessions/${encodeURIComponent(session)}/templates`).then(come, (error) => (said.textContent = wording(error)));
}

function option({ code, title, words }, place, language) {
  return el(
    "label",
    { class: "choice template" },
    el("input", { type: "radio", name: "template", value: String(place) }),
    el("span", { class: "template-name" }, el("span", { class: "code" }, `;${code}`), title && ` ${title}`, el("span", { class: "hint template-words", lang: language, dir: "auto" }, words)),
  );
}

/** The second step: the customer's words, and a field for each gap that nobody knows how to fill. */
function read({ code, words, missing }, language, act) {
  const id = newId(); // one for the whole step: sent again after a lost answer it is the same reply
  const preview = el("p", { class: "template-preview", lang: language, dir: "auto", "aria-live": "polite" });
  const fields = missing.map((name) => [name, el("input", { type: "text", maxlength: "512", autocomplete: "off", dir: "auto", oninput: () => draw() })]);
  const given = () => Object.fromEntries(fields.map(([name, input]) => [name, input.value.trim()]));
  const draw = () => {
    const known = given();
    preview.textContent = words.replace(GAP, (gap, name) => known[name] || gap);
  };
  const labelled = fields.map(([name, input]) => el("label", { class: "field" }, name, input));
  const submit = { label: t("templates.send"), act: () => act("template", { id, code, given: given() }) };
  const dialog = show({ title: `;${code}`, hint: t("templates.reads"), body: [preview, ...labelled], submit, wide: true });
  draw();
  (fields[0]?.[1] ?? dialog.querySelector("[type=submit]")).focus();
}
