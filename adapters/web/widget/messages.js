/*
 * The conversation as a list: days, groups by author, notices, own messages with their state, what is not sent yet, who
 * writes, and the question whether it is solved. Rows are kept from one drawing to the next and rebuilt only when what
 * they say has changed, so a selection, a focus or a picture that is loading stays where it is.
 */

import { attachment, words as written } from "./bubbles.js";
import { Cards, incidentBar } from "./cards.js";
import { Changes } from "./changes.js";
import { asEvent } from "./chat.js";
import { el, icon } from "./dom.js";
import { view } from "./menu.js";
import { placeText } from "./news.js";

const GROUP_MS = 5 * 60_000;
const NEAR_END_PX = 48;

export class Messages {
  /**
   * `edit(entry)` takes an unsent message back into the composer, `revise(item)` a sent one's words, to change them;
   * `copy(text)` copies; `fresh()` begins anew.
   */
  constructor({ words, chat, overlay, copy, edit, revise, fresh }) {
    Object.assign(this, { words, chat, overlay, copy, edit, fresh });
    this.rows = new Map();
    this.changes = new Changes({ words, chat, overlay, copy, revise });
    this.cards = new Cards({ words, chat, redraw: () => this.render() });
    this.originals = new Set(); // translated messages that the reader wants to see as they were written
    this.newBelow = 0;
    this.current = null; // the message that the arrow keys are at
    this.list = el("ol", {
      class: "messages",
      "aria-label": words.text("messages.label"),
      on: { keydown: (event) => this.#move(event) },
    });
    this.scroller = el("div", { class: "scroller", on: { scroll: () => this.#scrolled() } }, this.list);
    this.pill = el("button", { type: "button", class: "pill", hidden: true, on: { click: () => this.toEnd() } });
    this.element = el("div", { class: "talk" }, this.scroller, this.pill);
    this.following = true;
    // Pictures arrive, the keyboard comes up: who was at the end stays there.
    this.resized = new ResizeObserver(() => this.following && this.toEnd());
    for (const each of [this.scroller, this.list]) this.resized.observe(each);
  }

  dispose() {
    this.resized.disconnect();
  }

  /** Is the newest message on the screen? */
  get atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  toEnd() {
    this.following = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#scrolled();
  }

  /** A message came in while the reader may be further up. */
  arrived() {
    if (!this.following) this.newBelow += 1;
    this.#pill();
  }

  render() {
    const wanted = this.#wanted();
    const keys = new Set(wanted.map((row) => row.key));
    for (const [key, row] of this.rows) {
      if (!keys.has(key)) {
        row.element.remove();
        this.rows.delete(key);
      }
    }
    let after = null;
    for (const row of wanted) after = this.#place(row, after);
    this.#roving();
    if (this.following) this.toEnd();
  }

  /** Put one row where it belongs; gives its element, after which the next one goes. */
  #place({ key, says, draw }, after) {
    const known = this.rows.get(key);
    const signature = JSON.stringify(says);
    let element = known?.element;
    if (known?.signature !== signature) {
      const active = this.list.getRootNode().activeElement;
      const focused = element?.contains(active);
      const whole = active === element;
      const fresh = draw();
      fresh.dataset.key = key;
      element?.replaceWith(fresh);
      element = fresh;
      this.rows.set(key, { signature, element });
      if (focused) this.#focusAgain(element, whole ? null : (active.dataset.act ?? ""));
    }
    const next = after ? after.nextSibling : this.list.firstChild;
    if (next !== element) this.list.insertBefore(element, next);
    return element;
  }

  /** The same control as before, where it is still there; `act` null: the message itself. */
  #focusAgain(element, act) {
    const controls = act === null ? [] : [...element.querySelectorAll("button")];
    const same = controls.find((control) => act && control.dataset.act === act);
    (same ?? (act ? null : controls[0]) ?? element).focus();
  }

  #wanted() {
    const { chat } = this;
    const { conversation } = chat;
    const said = conversation.items.filter((item) => item.kind === "message" || this.words.has(`notice.${item.key}`));
    const unsent = [...chat.landed.values(), ...chat.outbox.messages].map((entry) => ({ ...asEvent(entry), entry }));
    const all = [...said, ...unsent].map((item) => (item.kind === "notice" ? item : this.changes.overlaid(item)));
    const lastOwn = all.findLast((item) => item.from === "you" && !item.entry);
    const rows = all.length === 0 ? [this.#intro()] : [];
    let before = null;
    all.forEach((item, index) => {
      if (!before || this.words.day(before.at) !== this.words.day(item.at)) rows.push(this.#day(item.at));
      const first = !grouped(before, item, this.words);
      const last = !grouped(item, all[index + 1], this.words);
      rows.push(item.kind === "notice" ? this.#notice(item) : this.#message(item, first, last, item === lastOwn));
      before = item;
    });
    return [...rows, ...this.#tail()];
  }

  #tail() {
    const { conversation } = this.chat;
    const rows = this.#waiting();
    if (conversation.typing) rows.push(this.#typing(conversation.typing));
    if (conversation.session?.state === "resolved") rows.push(this.#solved());
    if (this.chat.over) rows.push(this.#closed());
    return rows;
  }

  #intro() {
    const { chat, words } = this;
    const topic = chat.topic ? words.topic(chat.topic, chat.house.titles) : "";
    const draw = () =>
      el(
        "li",
        { class: "intro" },
        topic && el("strong", {}, topic),
        el("p", {}, words.text("intro.text")),
        el("p", { class: "safety" }, icon("shield"), el("span", {}, words.text("home.safety"))),
      );
    return { key: "intro", says: topic, draw };
  }

  /** The place in the line, which changes while one looks at it; and what keeps everybody waiting just now. */
  #waiting() {
    const { words, chat } = this;
    const { session } = chat.conversation;
    const { incidents } = chat.news;
    const rows = [];
    if (session?.state === "queued")
      for (const one of incidents)
        rows.push({ key: `incident ${one.id}`, says: one, draw: () => el("li", {}, incidentBar(words, one)) });
    const place = chat.news.placeOf(session);
    if (!place) return rows;
    const texts = [placeText(words, place), place.risen && words.text("notice.risen")].filter(Boolean);
    const draw = () => el("li", { class: "notice place" }, ...texts.map((text) => el("span", {}, text)));
    return [...rows, { key: "place", says: texts, draw }];
  }

  #day(at) {
    const text = this.words.day(at);
    return {
      key: `day ${new Date(at).toDateString()}`,
      says: text,
      draw: () => el("li", { class: "day" }, el("span", {}, text)),
    };
  }

  #notice(item) {
    const text = noticeText(this.words, item);
    const card = this.cards.of(item);
    const key = `notice ${item.session} ${item.o}`;
    if (card) return { key, says: [text, card.says], draw: () => this.#card(item, text, card) };
    const draw = () => el("li", { class: "notice" }, el("span", {}, text), " ", this.#time(item.at));
    return { key, says: text, draw };
  }

  /** A notice that one can answer. */
  #card(item, text, card) {
    const said = el("p", {}, text);
    return el("li", { class: `card ${item.key}`, role: "group", "aria-label": text }, said, card.draw());
  }

  #message(item, first, last, stated) {
    const state = this.#state(item, stated);
    const here = item.parts?.map((part) => this.chat.previews.has(part.file));
    const says = [item.rev, item.withdrawn, item.parts, here, item.name, first, last, state, item.entry?.code];
    says.push(item.translation, this.originals.has(item.id), this.changes.says(item));
    return { key: item.id, says, draw: () => this.#drawMessage(item, first, last, state) };
  }

  #drawMessage(item, first, last, state) {
    const { words } = this;
    const mine = item.from === "you";
    const classes = ["message", mine ? "mine" : "theirs", first && "first", last && "last"].filter(Boolean).join(" ");
    const author = mine ? words.text("message.you") : (item.name ?? words.text("message.us"));
    const head = el(
      "div",
      { class: first ? "head" : "head unseen" },
      el("span", { class: mine ? "unseen" : "name" }, author),
      " ",
      this.#time(item.at),
    );
    const face = !mine && el("span", { class: "face", "aria-hidden": "true" }, last ? initials(item) : "");
    const controls = this.changes.controls(item, plain);
    return el(
      "li",
      { class: classes, tabindex: "-1", "data-id": item.id },
      face,
      el(
        "div",
        { class: "body" },
        head,
        el("div", { class: "line" }, el("div", { class: "parts" }, ...this.#parts(item)), controls),
        this.changes.marks(item),
        translated(item) && this.#byMachine(item),
        item.change ? this.changes.state(item.change) : state && this.#drawState(item, state),
      ),
    );
  }

  /** Each part of a message in a bubble of its own. */
  #parts(item) {
    return this.#contents(item).map((content) => el("div", { class: "bubble" }, content));
  }

  #contents(item) {
    const { words } = this;
    if (!item.parts)
      return [el("em", { class: "gone" }, words.text(item.withdrawn ? "message.withdrawn" : "message.erased"))];
    const language = this.chat.conversation.session?.language ?? words.language;
    const tools = { copyLabel: words.text("message.copy_id"), copy: this.copy };
    const shown = (part) => {
      if (part.type === "text") return written(part, language, tools);
      if (part.removed) return el("em", { class: "gone" }, words.text("message.file_removed"));
      const local = this.chat.previews.get(part.file);
      return attachment(part, { words, local, view: (what, back) => this.#view(what, back) });
    };
    return this.#saying(item).map(shown);
  }

  /** What a message says to this reader: its translation, unless they asked for the original; its files in any case. */
  #saying(item) {
    if (!translated(item) || this.originals.has(item.id)) return item.parts;
    return [...item.translation.parts, ...item.parts.filter((part) => part.type !== "text")];
  }

  #byMachine(item) {
    const { words, originals } = this;
    const original = originals.has(item.id);
    const turn = () => {
      if (!originals.delete(item.id)) originals.add(item.id);
      this.render();
    };
    const key = original ? "translation.translated" : "translation.original";
    const other = el("button", { type: "button", class: "link", on: { click: turn } }, words.text(key));
    const by = !original && el("span", {}, `${words.text("translation.by")} · `);
    return el("div", { class: "translation" }, by, other);
  }

  #view(part, back) {
    const address = part.url;
    const drawn = back.querySelector("canvas");
    const copy = drawn && el("canvas", { width: drawn.width, height: drawn.height });
    copy?.getContext("2d").drawImage(drawn, 0, 0);
    const picture = address ? el("img", { src: address, alt: part.name }) : copy;
    if (address && copy) picture.addEventListener("error", () => picture.replaceWith(copy)); // the link has expired
    const labels = { closeLabel: this.words.text("close"), downloadLabel: this.words.text("message.download") };
    view(this.overlay, back, { picture, name: part.name, address, ...labels });
  }

  /** What is known of an own message: one quiet word under the last of them, and under each that is not sent. */
  #state(item, stated) {
    if (item.entry) return item.entry.state;
    if (!stated || item.withdrawn) return null;
    if (this.chat.house.seen && this.#answered(item)) return "seen";
    return this.chat.conversation.reached.has(item.id) ? "reached" : "sent";
  }

  #answered(item) {
    const { items } = this.chat.conversation;
    const answers = (each) => each.from === "operator" || each.key === "looking_into_it";
    return items.findLastIndex(answers) > items.findIndex((each) => each.id === item.id);
  }

  #drawState(item, state) {
    const { words } = this;
    const line = el("div", { class: `state ${state}` });
    if (state === "sent" || state === "reached") {
      const ticks = state === "sent" ? [icon("check")] : [icon("check"), icon("check")];
      line.append(
        el("span", { class: state === "sent" ? "" : "unseen" }, words.text(`state.${state}`)),
        el("span", { class: "ticks", title: words.text(`state.${state}`) }, ...ticks),
      );
      return line;
    }
    line.append(el("span", {}, words.text(`state.${state}`)));
    if (state === "failed") {
      if (words.has(`failed.${item.entry.code}`))
        line.append(" ", el("span", {}, words.text(`failed.${item.entry.code}`)));
      line.append(
        " ",
        this.#link("state.retry", () => this.chat.outbox.retry(item.id)),
        " · ",
        this.#link("state.edit", () => this.edit(item.entry)),
      );
    }
    if (state === "delayed")
      line.append(
        " ",
        this.#link("state.retry", () => this.chat.outbox.retry(item.id)),
      );
    return line;
  }

  #link(key, click) {
    return el("button", { type: "button", class: "link", on: { click } }, this.words.text(key));
  }

  #time(at) {
    return el("time", { datetime: new Date(at).toISOString(), title: this.words.moment(at) }, this.words.time(at));
  }

  #typing({ name, initials: letters }) {
    const { words } = this;
    const text = name ? words.text("typing", { name }) : words.text("typing.unnamed");
    const dots = el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
    const draw = () =>
      el(
        "li",
        { class: "message theirs typing first last" },
        el("span", { class: "face", "aria-hidden": "true" }, letters ?? ""),
        el("div", { class: "body" }, el("div", { class: "bubble" }, dots, el("span", { class: "unseen" }, text))),
      );
    return { key: "typing", says: [name, letters], draw };
  }

  #solved() {
    const { words, chat } = this;
    const answer = (solved) =>
      el(
        "button",
        {
          type: "button",
          class: solved ? "button primary" : "button",
          disabled: chat.busy || !chat.online,
          on: { click: () => chat.answer(solved) },
        },
        words.text(solved ? "solved.yes" : "solved.no"),
      );
    const draw = () =>
      el(
        "li",
        { class: "card", role: "group", "aria-label": words.text("solved.question") },
        el("p", {}, words.text("solved.question")),
        el("div", { class: "buttons" }, answer(true), answer(false)),
      );
    return { key: "solved", says: [chat.busy, chat.online], draw };
  }

  #closed() {
    const { words } = this;
    const { code } = this.chat.conversation.session;
    const again = el(
      "button",
      { type: "button", class: "button", on: { click: () => this.fresh() } },
      words.text("closed.again"),
    );
    const draw = () =>
      el(
        "li",
        { class: "card quiet" },
        el("p", {}, words.text("closed.text")),
        el("p", { class: "detail" }, words.text("closed.code", { code })),
        el("div", { class: "buttons" }, again),
      );
    return { key: "closed", says: code, draw };
  }

  /** One message at a time is in the tab order; the arrow keys go from one to the next. */
  #roving() {
    const messages = [...this.list.querySelectorAll(".message[data-id]")];
    const inside = this.list.contains(this.list.getRootNode().activeElement);
    if (!inside || !messages.includes(this.current)) this.current = messages.at(-1) ?? null;
    for (const message of messages) this.#reachable(message, message === this.current);
  }

  #reachable(message, here) {
    message.tabIndex = here ? 0 : -1;
    for (const control of message.querySelectorAll(".parts :is(button, a, [role=button]), :is(.actions, .marks, .translation) button")) {
      control.tabIndex = here ? 0 : -1;
    }
  }

  #move(event) {
    const messages = [...this.list.querySelectorAll(".message[data-id]")];
    const at = messages.indexOf(event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: messages.length - 1 }[event.key];
    if (at < 0 || to === undefined || !messages[to]) return;
    event.preventDefault();
    this.current = messages[to];
    this.#roving();
    this.current.focus();
  }

  #scrolled() {
    this.following = this.atEnd;
    if (this.following) this.newBelow = 0;
    this.#pill();
    this.onscroll?.();
  }

  #pill() {
    this.pill.hidden = this.following;
    const text =
      this.newBelow > 0
        ? this.words.text("messages.new", { count: this.newBelow })
        : this.words.text("messages.newest");
    if (this.pill.dataset.says === text) return;
    this.pill.dataset.says = text;
    this.pill.className = this.newBelow > 0 ? "pill" : "pill round";
    this.pill.ariaLabel = text;
    this.pill.replaceChildren(...(this.newBelow > 0 ? [icon("down"), text] : [icon("down")]));
  }
}

/** A notice in words, with the name, time, desk or language that belongs to it. */
export function noticeText(words, { key, name, until, desk, language, incident }) {
  return words.whole(`notice.${key}`, {
    name,
    desk,
    incident,
    until: until && (key === "outside_hours" ? words.zoned(until) : words.soon(until)),
    language: language && words.languageName(language),
  });
}

function translated({ translation, rev, parts }) {
  return Boolean(parts && translation && translation.rev === rev);
}

/** A message as text, for the clipboard. */
export function plain({ parts }) {
  return (parts ?? []).map((part) => (part.type === "text" ? part.text : part.name)).join("\n");
}

function initials({ initials: letters, name }) {
  return letters ?? name?.slice(0, 1) ?? "";
}

function grouped(one, next, words) {
  if (!one || !next || one.kind !== "message" || next.kind !== "message") return false;
  const same = one.from === next.from && one.name === next.name && one.session === next.session;
  return (
    (same || (one.from === "you" && next.from === "you")) &&
    next.at - one.at < GROUP_MS &&
    words.day(one.at) === words.day(next.at)
  );
}
