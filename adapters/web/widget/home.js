/* The first view: the open conversation, what one can write about, other ways to reach us, what we never ask for. */

import { el, icon, say } from "./dom.js";
import { incidentBar } from "./cards.js";
import { languageOf } from "./i18n.js";
import { opensText } from "./news.js";

const USUAL_TOPICS = ["account", "trading", "transfers", "security", "other"]; // when the desk cannot be asked
const ADDRESS = /^(https?:\/\/|mailto:|tel:)/;

export class Home {
  /** `choose(topic)` begins to write about a topic; `resume()` goes to the open conversation; `turned()` redraws. */
  constructor({ words, chat, choose, resume, turned }) {
    this.words = words;
    this.chat = chat;
    this.choose = choose;
    this.turned = turned;
    this.resume = resume;
    this.within = null; // the topic whose parts are shown
    this.incidents = el("ul", { class: "incidents" });
    this.current = el("div", { class: "current" });
    this.topics = el("ul", { class: "rows" });
    this.urgent = el("ul", { class: "rows urgent" });
    this.ways = el("ul", { class: "rows ways" });
    this.question = el("h3", {}, words.text("home.topics"));
    this.urgentTitle = el("h3", {}, words.text("home.urgent"));
    this.waysTitle = el("h3", {}, words.text("home.ways"));
    this.policy = el("a", { target: "_blank", rel: "noopener noreferrer" }, words.text("home.policy"));
    this.element = this.#frame();
  }

  render() {
    const { chat } = this;
    this.#current();
    const row = (topic) => [topic, topic === this.within, chat.news.opens(topic)];
    this.#rows(this.topics, this.#shown()?.map(row), (said) => this.#topic(...said));
    this.#rows(this.incidents, chat.news.incidents, (incident) => el("li", {}, incidentBar(this.words, incident)));
    this.incidents.hidden = chat.news.incidents.length === 0;
    this.#rows(this.urgent, chat.house.emergency ?? [], (way) => link(way.url, "warning", way.title));
    this.#rows(this.ways, chat.house.contact ?? [], (way) => this.#way(way));
    this.urgentTitle.hidden = this.urgent.hidden = !chat.house.emergency?.length;
    this.waysTitle.hidden = this.ways.hidden = !chat.house.contact?.length;
    this.policy.hidden = !chat.house.policy;
    if (chat.house.policy) this.policy.href = chat.house.policy;
  }

  /** The topics to choose from: those that are part of no other, or the parts of one, and itself for all the rest. */
  #shown() {
    const { chat } = this;
    const topics = chat.house.topics ?? (chat.troubled ? USUAL_TOPICS : null);
    if (!this.#parts(this.within).length) this.within = null;
    if (!topics || this.within) return topics && [...this.#parts(this.within), this.within];
    return topics.filter((topic) => !topics.includes(chat.house.under?.[topic]));
  }

  #parts(topic) {
    const { topics, under } = this.chat.house;
    return topic ? (topics ?? []).filter((each) => under?.[each] === topic) : [];
  }

  /** Into a topic's parts, or to writing about it. */
  #choose(topic) {
    if (topic === this.within || this.#parts(topic).length === 0) return this.choose(topic);
    this.within = topic;
    this.turned();
    return this.topics.querySelector("button")?.focus();
  }

  /** Back to all topics; false when they are shown already. */
  leave() {
    if (!this.within) return false;
    this.within = null;
    this.turned();
    return true;
  }

  #frame() {
    const { words } = this;
    const safety = el(
      "p",
      { class: "safety" },
      icon("shield"),
      el("span", {}, words.text("home.safety"), el("br"), words.text("home.recorded"), " ", this.policy),
    );
    return el(
      "div",
      { class: "home" },
      el("h2", { class: "greeting" }, words.text("home.greeting")),
      this.incidents,
      this.current,
      this.question,
      this.topics,
      this.urgentTitle,
      this.urgent,
      this.waysTitle,
      this.ways,
      safety,
    );
  }

  /** Redraw a list only when what it shows has changed: nothing may move under a finger. */
  #rows(list, things, draw) {
    const wanted = JSON.stringify(things);
    if (list.dataset.shows === wanted) return;
    list.dataset.shows = wanted;
    const rows = things ? things.map(draw) : Array.from({ length: 4 }, () => el("li", { class: "row bone" }));
    list.setAttribute("aria-busy", String(!things));
    list.replaceChildren(...rows);
  }

  /** `rest`: whatever else is part of it. `opens`: when somebody is there again, null for "we cannot say", false while somebody is. */
  #topic(topic, rest, opens) {
    const name = this.words.topic(topic, this.chat.house.titles) || topic;
    const label = rest ? this.words.text("home.rest") : name;
    const row = el(
      "button",
      { type: "button", class: "row", on: { click: () => this.#choose(topic) } },
      el(
        "span",
        { class: "stack" },
        el("span", { class: "label" }, label),
        opens !== false && el("span", { class: "detail" }, opensText(this.words, opens)),
      ),
      icon("chevron"),
    );
    return el("li", {}, row);
  }

  #way({ kind, value, hours }) {
    const name = this.words.text(`home.${kind}`);
    if (kind === "help" || kind === "faq") return link(value, "help", name, hours);
    const address = { mail: `mailto:${value}`, phone: `tel:${value.replaceAll(/[^\d+]/g, "")}` }[kind];
    return link(address, kind, name, [value, hours].filter(Boolean).join(" · "));
  }

  #current() {
    const { chat, words } = this;
    const { conversation } = chat;
    const going = conversation.open || chat.outbox.messages.length > 0;
    const shown = going || conversation.items.length > 0;
    this.current.hidden = !shown;
    const within = this.within && words.topic(this.within, chat.house.titles);
    say(this.question, within || words.text(going ? "home.more" : "home.topics"));
    if (!shown) return this.current.replaceChildren(); // of another, perhaps
    if (!this.current.firstChild) this.current.append(this.#card());
    const { agent } = conversation;
    const plain = words.text(going ? "home.current" : "home.last");
    say(this.current.querySelector(".label"), agent ? words.text("home.with", { name: agent.name }) : plain);
    const last = this.#last();
    const preview = this.current.querySelector(".detail");
    say(preview, last.text);
    preview.lang = languageOf(last.text, words.language);
    const count = this.current.querySelector(".count");
    count.hidden = chat.unread === 0;
    return say(count, String(chat.unread));
  }

  #card() {
    return el(
      "button",
      { type: "button", class: "row open", on: { click: () => this.resume() } },
      icon("chat"),
      el("span", { class: "stack" }, el("span", { class: "label" }), el("span", { class: "detail", dir: "auto" })),
      el("span", { class: "count", hidden: true }),
      icon("chevron"),
    );
  }

  #last() {
    const { chat, words } = this;
    const said = chat.conversation.items.findLast((item) => item.kind === "message" && item.parts);
    const parts = chat.outbox.messages.at(-1)?.parts ?? said?.parts ?? [];
    const text = parts.find((part) => part.type === "text")?.text;
    return { text: text ?? (parts.length > 0 ? words.text("message.file") : words.text("home.continue")) };
  }
}

/** A way out of here. What is no address of a known kind (a newer desk may know more) is left out. */
function link(address, picture, name, detail) {
  if (!ADDRESS.test(address ?? "")) return el("li", { hidden: true });
  const outside = address.startsWith("http") ? { target: "_blank", rel: "noopener noreferrer" } : {};
  const label = el(
    "span",
    { class: "stack" },
    el("span", { class: "label" }, name),
    detail && el("span", { class: "detail" }, detail),
  );
  return el("li", {}, el("a", { class: "row", href: address, ...outside }, icon(picture), label));
}
