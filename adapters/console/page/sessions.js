// The list in the middle: who waits longest comes first.
//
// It does not jump under the pointer: while the mouse is over it, rows change in place, new ones come at the end and
// those that left stay, dimmed. When the pointer goes, or at a press of the button below, the order is right again.

import { arrange, el, fill, icon } from "./dom.js";
import { clock, moment, now, span } from "./times.js";
import { languageName, t } from "./words.js";

export class Sessions {
  /** `onLookUp(code)` asks for a session anywhere; `names` are {nameOf, deskName, topicName}. */
  constructor({ names, promise, onLookUp, unreadOf }) {
    Object.assign(this, { names, promise, unreadOf });
    this.rows = new Map();
    this.order = [];
    this.wanted = [];
    this.search = el("input", {
      type: "search",
      class: "search-field",
      placeholder: t("list.search"),
      "aria-label": t("list.search"),
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => this.draw(),
      onkeydown: (event) => {
        if (event.key !== "Enter" || event.isComposing) return;
        event.preventDefault();
        if (this.order.length) this.focus(this.order[0]);
        else if (this.search.value.trim()) onLookUp(this.search.value.trim());
      },
    });
    this.list = el("ul", {
      class: "rows",
      "aria-label": t("list.label"),
      onpointerenter: (event) => this.hold(event.pointerType === "mouse"),
      onpointerleave: () => this.hold(false),
    });
    this.empty = el("p", { class: "empty", hidden: true });
    this.more = el("p", { class: "hint more", hidden: true });
    this.changed = el("button", { type: "button", class: "order-changed", hidden: true, onclick: () => this.hold(false) }, t("list.changed"));
    this.node = el(
      "section",
      { class: "sessions", "aria-label": t("list.label") },
      el("div", { class: "search" }, icon("search"), this.search),
      el("div", { class: "rows-scroll" }, this.list, this.empty, this.more),
      this.changed,
    );
  }

  /** Rows as the service sent them, which of the four lists it is, and which conversation is open. */
  show({ rows, list, open, more, writing, me, desk }) {
    Object.assign(this, { data: new Map(rows.map((row) => [row.session, row])), name: list, open, writing, me, desk });
    this.more.hidden = !more;
    this.more.textContent = more ? t("list.more", { count: rows.length }) : "";
    this.draw();
  }

  draw() {
    const wanted = [...this.data.values()].filter((row) => this.matches(row)).sort(orderOf(this.name));
    this.wanted = wanted.map((row) => row.session);
    const leaving = this.held ? this.order.filter((session) => this.rows.has(session)) : [];
    this.order = [...leaving, ...this.wanted.filter((session) => !leaving.includes(session))];
    this.changed.hidden = this.order.join() === this.wanted.join();
    const focused = document.activeElement;
    arrange(this.list, this.order.map((session) => this.drawn(session)));
    if (focused !== document.activeElement && focused?.isConnected && this.list.contains(focused)) focused.focus({ preventScroll: true });
    for (const session of this.rows.keys()) if (!this.order.includes(session)) this.rows.delete(session);
    this.empty.hidden = this.order.length > 0;
    this.empty.textContent = t(`list.empty.${this.search.value.trim() ? "search" : this.name}`);
  }

  clearSearch() {
    this.search.value = "";
    this.draw();
  }

  hold(held) {
    this.held = held;
    if (!held && this.data) this.draw();
  }

  matches(row) {
    const sought = this.search.value.normalize("NFKC").trim().toLowerCase();
    if (!sought) return true;
    const about = [row.code, row.name, this.names.topicName(row.topic), this.names.deskName(row.desk), row.last?.text];
    return about.some((one) => one?.toLowerCase().includes(sought));
  }

  drawn(session) {
    if (!this.rows.has(session)) {
      const link = el("a", { class: "row" });
      this.rows.set(session, { link, node: el("li", {}, link), signature: "" });
    }
    const entry = this.rows.get(session);
    entry.row = this.data.get(session) ?? entry.row;
    this.fill(entry, session);
    return entry.node;
  }

  fill(entry, session) {
    const { link, row } = entry;
    const left = !this.wanted.includes(session);
    const wait = waiting(row, this.promise);
    const unread = this.unreadOf(row);
    const writer = this.writing.get(session);
    const signature = JSON.stringify([row, wait, unread, left, writer, session === this.open]);
    if (signature === entry.signature) return;
    entry.signature = signature;
    link.href = `#${row.code}`;
    link.className = `row${left ? " left" : ""}${unread ? " unread" : ""}`;
    if (session === this.open) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    fill(link, ...this.content(row, wait, unread, writer));
  }

  content(row, wait, unread, writer) {
    const { topicName, deskName, nameOf } = this.names;
    const holder = row.assignee && (row.assignee === this.me ? t("state.assigned_you") : t("state.assigned", { name: nameOf(row.assignee) }));
    const [language, desk] = [languageName(row.language), deskName(row.desk)];
    const state = row.state === "assigned" ? holder : row.state === "queued" ? "" : t(`state.${row.state}`);
    return [
      el(
        "span",
        { class: "row-head" },
        el("span", { class: "code" }, row.code),
        el("span", { class: "row-name", dir: "auto" }, row.name || t("row.visitor")),
        wait.text && el("span", { class: `wait ${wait.level}` }, el("span", { "aria-hidden": "true" }, wait.text), el("span", { class: "sr" }, wait.said)),
      ),
      el(
        "span",
        { class: "row-about" },
        marks(row).map(([kind, label, title]) => el("span", { class: `mark ${kind}`, title }, label)),
        [language, topicName(row.topic), !this.desk && desk !== language && desk, state].filter(Boolean).join(" · "),
      ),
      el(
        "span",
        { class: "row-last" },
        writer ? el("span", { class: "row-writing" }, t("row.writing", { name: writer.name })) : this.last(row),
        unread > 0 && el("span", { class: "badge", "aria-label": t("row.unread", { count: unread }) }, String(unread)),
      ),
    ];
  }

  last(row) {
    if (!row.last) return el("span", { class: "last" });
    const { side, by, text, gone, files } = row.last;
    const who = side === "note" ? t("row.note") : side === "customer" ? "" : by === this.me ? t("row.you") : this.names.nameOf(by);
    const said = gone ? t(`row.${gone}`) : text || (files ? t("row.files") : "");
    const lang = side === "note" ? null : row.language;
    return el(
      "span",
      { class: `last ${side}${gone ? " gone" : ""}` },
      who && el("span", { class: "last-by" }, `${who}: `),
      el("span", { lang: gone ? null : lang, dir: "auto" }, said),
    );
  }

  // ---------------------------------------------------------------- the keyboard

  /** Move the focus by one; from nowhere it starts at the open conversation. */
  move(step) {
    const at = this.order.findIndex((session) => this.rows.get(session).link === document.activeElement);
    const from = at >= 0 ? at : this.order.indexOf(this.open);
    const next = from < 0 ? 0 : Math.max(0, Math.min(this.order.length - 1, from + step));
    if (this.order[next]) this.focus(this.order[next]);
  }

  focus(session) {
    this.rows.get(session)?.link.focus();
  }
}

/** How long somebody waits or is promised to wait, how that stands to the promise, and the same in words. */
export function waiting(row, promise) {
  if (row.turn === "held" && row.until) {
    const over = row.until < now();
    const time = moment(row.until);
    return { text: clock(row.until), level: over ? "past" : row.until - now() < promise.amber ? "near" : "", said: over ? t("row.held_past") : t("row.held", { time }) };
  }
  if (row.waiting_since === null) return { text: "", level: "", said: "" };
  const time = span(now() - row.waiting_since);
  if (row.past_at !== null && row.past_at <= now()) return { text: time, level: "past", said: t("row.waits_past", { time }) };
  if (row.near_at !== null && row.near_at <= now()) return { text: time, level: "near", said: t("row.waits_near", { time }) };
  return { text: time, level: "", said: t("row.waits", { time }) };
}

/** What sets a session apart in a list: [kind, label, what it means]. */
function marks(row) {
  const ladder = row.escalation;
  return [
    row.emergency && ["past", t("row.emergency"), t("attention.emergency")],
    ladder && [ladder.acknowledged_by ? "near" : "past", t(ladder.acknowledged_by ? "row.acknowledged" : "row.escalated"), t(`cause.${ladder.why}`)],
    row.incident && ["near", row.incident, t("row.incident")],
    row.check?.state === "requested" && ["", t("row.check"), t("row.check")],
    row.taken_over && [row.unattended ? "past" : "near", t("row.taken_over"), t("attention.taken_over", { network: t(`network.${row.network}`), time: moment(row.taken_over) })],
    row.opens_at && ["", t("row.closed"), t("attention.desk_closed", { time: moment(row.opens_at) })],
  ].filter(Boolean);
}

function orderOf(name) {
  if (name === "closed") return (one, other) => other.last_at - one.last_at;
  const rank = (row) => row.place ?? [2, -row.last_at];
  return (one, other) => {
    const [a, b] = [rank(one), rank(other)];
    return a[0] - b[0] || a[1] - b[1];
  };
}
