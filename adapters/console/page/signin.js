// Before the desk: signing in, and the public names at the first time.

import { tell } from "./api.js";
import { nameFields, wording } from "./dialogs.js";
import { el, fill } from "./dom.js";
import { LANGUAGES, choose, language, t } from "./words.js";

const LINK = /^#sign-in\/([A-Za-z0-9_-]+)$/;
const SOUGHT = "kakehashi.desk.sought"; // a session, or one of its files, that this tab was to show before anybody signed in

/** Sign in by the link that this address holds. The token leaves the address before anything else happens. */
export async function useLink() {
  const token = LINK.exec(location.hash)?.[1];
  if (!token) return null;
  history.replaceState(null, "", location.pathname + takeSought());
  await tell("sign-in/link", { token });
  return true;
}

/** A one-time link takes the address's place: what stood there is kept for as long as the tab is at the door. */
function keepSought() {
  try {
    if (!LINK.test(location.hash)) sessionStorage.setItem(SOUGHT, location.hash);
  } catch {
    // Nothing can be kept: the link leads to the lists then.
  }
}

function takeSought() {
  try {
    const sought = sessionStorage.getItem(SOUGHT) ?? "";
    sessionStorage.removeItem(SOUGHT);
    return sought;
  } catch {
    return "";
  }
}

/** The sign-in view. `problem` is a refusal to show, `notice` a plain word. */
export function signIn(root, { problem, notice, onDone, redraw }) {
  keepSought();
  const account = field("account", { autocomplete: "username", autocapitalize: "none", spellcheck: "false" });
  const password = field("password", { type: "password", autocomplete: "current-password" });
  const trouble = el("p", { class: "problem", role: "alert", hidden: !problem }, problem ? wording(problem) : "");
  const submit = el("button", { type: "submit", class: "button primary" }, t("sign_in.submit"));
  const form = el(
    "form",
    {
      class: "gate-form",
      onsubmit: async (event) => {
        event.preventDefault();
        submit.disabled = true;
        try {
          await tell("sign-in/password", { account: account.input.value, password: password.input.value });
          takeSought();
          onDone();
        } catch (error) {
          trouble.textContent = wording(error);
          trouble.hidden = false;
          password.input.select();
        } finally {
          submit.disabled = false;
        }
      },
    },
    notice && el("p", { class: "hint" }, notice),
    account.label,
    password.label,
    trouble,
    submit,
    el("p", { class: "hint" }, t("sign_in.link_hint")),
  );
  gate(root, t("sign_in.title"), form, redraw);
  account.input.focus();
}

/** The first sign-in: what customers call this operator. */
export function firstNames(root, operator, { onDone, redraw }) {
  const { fields, read } = nameFields(operator.names);
  const trouble = el("p", { class: "problem", role: "alert", hidden: true });
  const form = el(
    "form",
    {
      class: "gate-form",
      onsubmit: async (event) => {
        event.preventDefault();
        try {
          await tell("me/names", { names: read() });
          onDone();
        } catch (error) {
          trouble.textContent = error.code === "empty" ? t("names.needed") : wording(error);
          trouble.hidden = false;
        }
      },
    },
    el("p", { class: "hint" }, t("names.hint")),
    fields,
    trouble,
    el("button", { type: "submit", class: "button primary" }, t("names.save")),
  );
  gate(root, t("names.title"), form, redraw);
  form.querySelector("input").focus();
}

function gate(root, title, form, redraw) {
  document.title = `${title} · ${t("product")}`;
  const mark = el("img", { src: "page/icon.svg", alt: "", width: "40", height: "40" });
  fill(
    root,
    el("main", { class: "gate" }, el("div", { class: "gate-card" }, mark, el("h1", {}, title), form), tongues(redraw)),
  );
}

/** The choice of this page's language. */
export function tongues(redraw) {
  const select = el(
    "select",
    {
      class: "quiet-select",
      "aria-label": t("language.choose"),
      onchange: async () => {
        await choose(select.value);
        redraw();
      },
    },
    LANGUAGES.map((tag) => el("option", { value: tag, lang: tag, selected: tag === language() }, OWN_NAMES[tag])),
  );
  return select;
}

const OWN_NAMES = { ja: "日本語", en: "English", "zh-Hans": "简体中文", "zh-Hant": "繁體中文" };

function field(name, attributes) {
  const input = el("input", { type: "text", name, required: true, maxlength: "256", ...attributes });
  return { input, label: el("label", { class: "field" }, t(`sign_in.${name}`), input) };
}
