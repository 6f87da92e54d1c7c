// The conversation in the middle: who said what, what happened to it, and where each reply is.

import { Keyed, arrange, el, icon } from "./dom.js";
import { drawn } from "./marks.js";
import { ago, clock, day, dayOf, moment } from "./times.js";
import { knows, languageName, pick, t } from "./words.js";

const NEAR = 80; // px from the end that count as being at the end

export class Thread {
  /** `nameOf(operator)` and `deskName(id)` name things; `onRetry`, `onTakeBack`, `onOlder` are the buttons' work. */
  constructor({ nameOf, deskName, topicName, incidentName, changes, onRetry, onTakeBack, onOlder, mayPurge, onPurge }) {
    Object.assign(this, { nameOf, deskName, topicName, incidentName, changes, onRetry, onTakeBack, mayPurge, onPurge });
    this.older = el("button", { type: "button", class: "link-button", onclick: onOlder, hidden: true }, t("thread.older"));
    this.list = el("ol", { class: "lines" });
    this.pill = el("button", { type: "button", class: "pill", hidden: true, onclick: () => this.toEnd() });
    this.writing = el("p", { class: "writing", role: "status" });
    this.scroller = el(
      "div",
      { class: "thread-scroll", role: "log", tabindex: "0", onscroll: () => this.scrolled() },
      this.older,
      this.list,
    );
    this.node = el("div", { class: "thread-body" }, this.scroller, this.pill, this.writing);
    this.keyed = new Keyed((item) => this.draw(item));
    Object.assign(this, { pinned: true, top: 0, room: 0 });
    const grown = new ResizeObserver(() => this.pinned && this.toEnd());
    grown.observe(this.scroller);
    grown.observe(this.list);
  }

  /** Show the lines of a conversation, and behind them what is not sent yet. */
  show({ session, language, code, lines, older, unsent, presenceSince }) {
    const fresh = this.session !== session;
    const end = fresh || this.pinned;
    const before = this.shown ?? 0;
    const first = this.list.firstChild;
    const below = this.scroller.scrollHeight - this.scroller.scrollTop;
    Object.assign(this, { session, language, presenceSince });
    this.scroller.setAttribute("aria-label", t("thread.label", { code }));
    this.older.hidden = !older;
    arrange(this.list, this.keyed.nodes([...this.items(lines), ...unsent.flatMap((one) => this.pending(one))]));
    const said = lines.filter((line) => line.side === "customer").length;
    if (end) this.toEnd();
    else if (first !== this.list.firstChild) this.scroller.scrollTop = this.scroller.scrollHeight - below; // earlier lines
    else if (said > before) this.tellNew(said - before);
    this.shown = end ? said : Math.min(before, said);
  }

  /** Names have changed: every line is made anew. */
  forget() {
    this.keyed.known.clear();
  }

  showWriting(text) {
    if (this.writing.textContent !== text) this.writing.textContent = text;
  }

  items(lines) {
    const replies = lines.filter((line) => line.side === "reply" && !line.withdrawn);
    const stateAfter = new Map(replies.map((line, place) => [line.message, replies[place + 1]?.delivery]));
    return lines.flatMap((line, place) => {
      const before = lines[place - 1];
      const newDay = !before || dayOf(before.at) !== dayOf(line.at);
      const headed = newDay || !before.side || before.side !== line.side || before.by !== line.by || line.at - before.at > 5 * 60_000;
      const state = line.delivery && stateAfter.get(line.message) !== line.delivery ? line.delivery : null;
      const since = state === "undelivered" ? ago(this.presenceSince) : "";
      const key = line.message ?? `line ${line.index}`;
      const { delivery: _, ...shown } = line;
      const item = { key, line: shown, day: newDay ? day(line.at) : "", headed };
      return state ? [item, { key: `${key} state`, state, since }] : [item];
    });
  }

  pending(message) {
    const line = { side: message.kind, at: message.at, by: "", parts: message.parts };
    const state = message.refused ? "failed" : "sending";
    const key = `o:${message.id}`;
    return [
      { key, line, headed: true, pending: true, files: message.files },
      { key: `${key} state`, state, message: message.id, refused: message.refused },
    ];
  }

  // ---------------------------------------------------------------- lines

  /** Where a reply is stands on a line of its own, so that a change of it does not read the reply out again. */
  draw(item) {
    if (item.state) return el("li", { class: "line", "aria-live": "off" }, this.state(item));
    const separator = item.day && el("p", { class: "day" }, el("span", {}, item.day));
    const body = item.line.side ? this.message(item) : this.event(item.line);
    return el("li", { class: "line" }, separator, body);
  }

  event(line) {
    const name = this.nameOf(line.operator);
    const { desk, from_desk: from, topic, outcome, until, since, why, kind, promise, language, incident, code, author, to = "", pager, network, purge } = line.words;
    const gaps = {
      name,
      desk: desk && this.deskName(desk),
      from: from && this.deskName(from),
      topic: topic && this.topicName(topic),
      outcome: outcome && t(`outcome.${outcome}`),
      time: (until || since) && moment(until || since),
      why: why && t(`cause.${why}`),
      promise: promise && t(`promise.${promise}`),
      language: language && languageName(language),
      incident: incident && this.incidentName(incident),
      who: kind && [[t(`rung.${kind}`), to].filter(Boolean).join(" "), name].filter(Boolean).join(" · "),
      pager,
      author,
      code,
      network: network && t(`network.${network}`),
      purge: purge && t(`purge.${purge}`),
    };
    return el("p", { class: "event" }, t(`line.${line.key}`, gaps), " ", el("time", {}, clock(line.at)));
  }

  message({ line, headed, pending, files }) {
    return el(
      "article",
      { class: `message ${line.side}${headed ? " headed" : ""}${pending ? " pending" : ""}` },
      headed && this.heading(line),
      el("div", { class: "bubble" }, this.content(line, files)),
      this.changes.reactions(line),
      !pending && this.changes.controls(line),
    );
  }

  heading(line) {
    const who = line.side === "customer" ? this.customerName || t("thread.customer") : this.nameOf(line.by) || t("thread.you");
    return el(
      "header",
      { class: "by" },
      el("b", { dir: "auto" }, who),
      line.side === "note" && el("span", { class: "note-mark" }, `${t("thread.note")} · ${t("thread.note_private")}`),
      el("time", {}, clock(line.at)),
    );
  }

  content(line, files) {
    if (line.withdrawn) return el("p", { class: "gone" }, t("thread.withdrawn"));
    if (line.parts === null) return el("p", { class: "gone" }, t("thread.erased"));
    const parts = this.words(line.parts, line, files);
    const edited = line.revision > 0 && el("span", { class: "edited" }, t("thread.edited"));
    return [...parts, edited, this.former(line), this.translation(line)];
  }

  /** A message's parts as they stand in the conversation. */
  words(parts, line = {}, files = []) {
    return parts.map((part) => (part.type === "text" ? this.text(part, line) : this.file(part, files)));
  }

  /** What the customer had written before: whoever answered may have answered that. */
  former({ former = [] }) {
    if (former.length === 0) return null;
    const label = el("span", { class: "machine" }, t("thread.former"));
    return el("div", { class: "former" }, label, ...former.map((text) => el("p", { class: "text", dir: "auto", lang: this.language }, text)));
  }

  text({ text, marks }, line) {
    const lang = line.side === "note" ? null : this.language;
    return el("div", { class: "text", dir: "auto", lang }, ...drawn(text, marks, (words) => [words]));
  }

  /** A machine's words stand below the original and say what they are. Why there are none is said only where somebody
      needs them. */
  translation({ translation, untranslated }) {
    if (untranslated) return el("p", { class: "untranslated" }, t(`untranslated.${untranslated}`));
    if (!translation) return null;
    const { language, text } = translation;
    return el("div", { class: "translation" }, el("p", { class: "machine" }, t("thread.translated", { language: languageName(language) })), el("p", { class: "text", dir: "auto", lang: language }, text));
  }

  file(part, files) {
    const known = files?.find((file) => file.id === part.file);
    const { name, url, media_type: type = known?.type ?? "" } = { name: known?.name, ...part };
    if (part.removed) return el("p", { class: "gone" }, t("thread.file_removed"));
    if (known) return el("p", { class: "file" }, icon("file"), el("span", { dir: "auto" }, name));
    if (!url) return el("p", { class: "gone" }, t("thread.file_gone"));
    const shown = type.startsWith("image/") ? picture(part) : el("a", { class: "file", href: url, download: name }, icon("file"), el("span", { dir: "auto" }, name));
    const remove = this.mayPurge?.() && el("button", { type: "button", class: "link-button remove-file", onclick: () => this.onPurge(part.file) }, t("thread.remove_file"));
    return el("div", { class: "attached", tabindex: "-1", data: { file: part.file } }, shown, remove);
  }

  /** Somebody came by a link to this file. */
  point(file) {
    const found = [...this.list.querySelectorAll(".attached")].find((one) => one.dataset.file === file);
    if (!found) return;
    this.pinned = false;
    found.scrollIntoView({ block: "center" });
    found.classList.add("pointed");
    found.focus({ preventScroll: true });
  }

  state({ state, since, message, refused }) {
    if (state !== "failed") return el("p", { class: `delivery ${state}` }, t(`delivery.${state}`, { ago: since }));
    const why = knows(`error.${refused}`) ? t(`error.${refused}`) : "";
    return el(
      "p",
      { class: "delivery failed", role: "alert" },
      `${t("delivery.failed")} ${why} `,
      el("button", { type: "button", class: "link-button", onclick: () => this.onRetry(message) }, t("delivery.retry")),
      el("button", { type: "button", class: "link-button", onclick: () => this.onTakeBack(message) }, t("delivery.take_back")),
    );
  }

  // ---------------------------------------------------------------- the end of it

  atEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  /** Whoever reads the end stays at the end, also when a picture loads or the composer grows. Only going up leaves it:
      a thread that has grown since the last scroll is away from its end too, and nobody went anywhere; and where the
      room itself has changed, it was the browser that scrolled. */
  scrolled() {
    const { scrollTop: top, clientHeight: room } = this.scroller;
    if (this.pinned && room !== this.room) return this.toEnd();
    if (this.atEnd()) this.pinned = true;
    else if (top < this.top) this.pinned = false;
    this.top = top;
    if (this.pinned) this.clearPill();
    return undefined;
  }

  toEnd() {
    this.pinned = true;
    this.clearPill();
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.top = this.scroller.scrollTop;
    this.room = this.scroller.clientHeight;
  }

  tellNew(count) {
    this.pill.textContent = t("thread.new", { count });
    this.pill.hidden = false;
  }

  clearPill() {
    this.pill.hidden = true;
    this.shown = this.list.querySelectorAll(".message.customer").length;
  }
}

function picture({ url, name, width, height }) {
  const image = el("img", { src: url, alt: name, loading: "lazy", width: width || null, height: height || null });
  return el("button", { type: "button", class: "picture", onclick: () => enlarge(url, name) }, image);
}

function enlarge(url, name) {
  const dialog = el("dialog", { class: "enlarged", "aria-label": name, onclick: () => dialog.close(), onclose: () => dialog.remove() });
  const save = el("a", { class: "button", href: url, download: name, onclick: (event) => event.stopPropagation() }, t("thread.save_file"));
  dialog.append(el("img", { src: url, alt: name }), save);
  document.body.append(dialog);
  dialog.showModal();
}

/** A desk's or a topic's title in this page's language. */
export function titled(titles, id) {
  return titles ? pick(titles, id) : id;
}
