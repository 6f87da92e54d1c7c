/*
 * Notices that one can answer: another way to reach us, another language, the identity check. Each is a card in its
 * place in the conversation, and words alone once there is nothing to answer any more. And the one step before a form:
 * in an emergency the site's own way out comes first.
 */

import { el, icon } from "./dom.js";
import { otherWords } from "./i18n.js";

const LINK = /^https?:\/\//;
const CHECKS = ["check_requested", "check_passed", "check_failed", "check_expired"];
const LANGUAGES = ["language_offered", "language_changed"];

export class Cards {
  /** `redraw()` draws the conversation anew, when something that was fetched has come. */
  constructor({ words, chat, redraw }) {
    Object.assign(this, { words, chat, redraw });
    this.opened = new Set(); // identity checks whose page was opened from here, by address
  }

  /** The card of a notice: `{says, draw}`, where `says` tells when it is to be drawn anew; null for words alone. */
  of(item) {
    if (item.contact) return this.#contact(item);
    if (!this.#pending(item)) return null;
    if (item.key === "language_offered") return this.#offer(item);
    if (item.key === "check_requested") return this.#check(item);
    return null;
  }

  /** Is it of the conversation that goes on, and has nothing been said of the same matter since? */
  #pending({ key, session, o }) {
    const { conversation } = this.chat;
    if (!conversation.open || session !== conversation.session.code) return false;
    const matter = [CHECKS, LANGUAGES].find((keys) => keys.includes(key)) ?? [];
    const since = (item) => item.kind === "notice" && item.session === session && matter.includes(item.key);
    return conversation.items.findLast(since)?.o === o;
  }

  // other ways to reach us

  #contact({ contact }) {
    const open = openState(contact.hours);
    const draw = () => el("ul", { class: "rows ways" }, ...this.#ways(contact, open));
    return { says: [contact, open], draw };
  }

  #ways({ mail, phone, hours }, open) {
    const { words } = this;
    const rows = [];
    if (mail) rows.push(row(`mailto:${mail}`, "mail", words.text("home.mail"), mail));
    if (phone) {
      const address = `tel:${phone.replaceAll(/[^\d+]/g, "")}`;
      rows.push(row(address, "phone", words.text("home.phone"), phone, this.#hours(hours, open)));
    }
    return rows;
  }

  /** Since when nobody answers the telephone, or how long somebody still does. */
  #hours({ text, changes }, open) {
    if (text || !changes || open === "unknown") return text ?? "";
    if (open === "closed") return this.words.opens(changes);
    return this.words.text("contact.until", { time: this.words.soon(changes) });
  }

  // another language

  #offer({ language, session, o }) {
    const { chat, words } = this;
    const refused = chat.keep.get("stays");
    if (!language || language === chat.conversation.session.language) return null;
    if (refused?.session === session && refused.o >= o) return null;
    const other = otherWords(language, () => this.redraw());
    const draw = () => {
      const yes = other ?? words;
      const stay = words.languageName(chat.conversation.session.language);
      return el(
        "div",
        {},
        other && other !== words && el("p", { lang: language }, offered(other, language)),
        el(
          "div",
          { class: "buttons" },
          this.#button("primary", yes.text("offer.yes", { language: yes.languageName(language) }), yes.language, () =>
            chat.choose(language),
          ),
          this.#button("", words.text("offer.no", { language: stay }), null, () => this.#stay(session, o)),
        ),
      );
    };
    return { says: [language, Boolean(other), chat.busy, chat.online], draw };
  }

  #stay(session, o) {
    this.chat.keep.set("stays", { session, o });
    this.redraw();
  }

  #button(kind, label, lang, click) {
    const { busy, online } = this.chat;
    const disabled = kind === "primary" && (busy || !online);
    return el("button", { type: "button", class: `button ${kind}`, lang, disabled, on: { click } }, label);
  }

  // the identity check

  #check({ url, until }) {
    if (!LINK.test(url ?? "") || (until && until <= Date.now())) return null;
    const { words } = this;
    const opened = this.opened.has(url);
    const click = () => {
      this.opened.add(url);
      setTimeout(() => this.redraw()); // the link is followed first
    };
    const look = { class: opened ? "button" : "button primary", href: url, target: "_blank", rel: "noopener noreferrer" };
    const draw = () =>
      el(
        "div",
        {},
        el("p", { class: "detail" }, words.text(opened ? "check.waiting" : "check.text")),
        el(
          "div",
          { class: "buttons" },
          el("a", { ...look, on: { click } }, words.text(opened ? "check.again" : "check.open"), icon("outside")),
        ),
      );
    return { says: [url, opened], draw };
  }
}

/** What is broken just now, as a quiet bar. */
export function incidentBar(words, { title, text, since }) {
  return el(
    "div",
    { class: "incident", role: "note", "aria-label": words.text("incident.label") },
    icon("info"),
    el(
      "span",
      { class: "stack" },
      el("span", { class: "label" }, title),
      text && el("span", { class: "detail" }, text),
      el("span", { class: "detail" }, words.text("incident.since", { time: words.soon(since) })),
    ),
  );
}

/** Before a form: the site's own way out, which waits for nobody. `go()` goes on to write. Null where there is none. */
export function emergencyStep(words, links, topic, go) {
  const ways = links.filter(({ url }) => LINK.test(url));
  if (ways.length === 0) return null;
  return el(
    "div",
    { class: "step" },
    el("p", { class: "over-title" }, topic),
    el("h2", { class: "greeting" }, words.text("emergency.title")),
    el("p", {}, words.text("emergency.text")),
    el(
      "div",
      { class: "stacked" },
      ...ways.map(({ url, title }) =>
        el(
          "a",
          { class: "button way-out", href: url, target: "_blank", rel: "noopener noreferrer" },
          icon("shield"),
          el("span", {}, title),
        ),
      ),
      el("button", { type: "button", class: "button", on: { click: go } }, words.text("emergency.write")),
    ),
  );
}

function offered(words, language) {
  return words.whole("notice.language_offered", { language: words.languageName(language) });
}

function row(address, picture, name, ...details) {
  const lines = details.filter(Boolean).map((detail) => el("span", { class: "detail" }, detail));
  const text = el("span", { class: "stack" }, el("span", { class: "label" }, name), ...lines);
  return el("li", {}, el("a", { class: "row", href: address }, icon(picture), text));
}

/** What the desk said of its hours may have passed while this page stood open. */
function openState(hours) {
  if (!hours || hours.text || !hours.changes) return "always";
  if (hours.changes <= Date.now()) return "unknown";
  return hours.open ? "open" : "closed";
}
