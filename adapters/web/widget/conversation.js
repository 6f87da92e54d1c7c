/*
 * What was said, as far as this page knows: events in the order of their positions, each once. The rules are those of
 * docs/protocol.md, "Positions": the next one is applied, an old one ignored, one that comes too early waits a moment
 * for those before it.
 */

import { Emitter } from "./emitter.js";

const GAP_SECONDS = 1; // over HTTP, two answers may overtake each other
const TYPING_SECONDS = 6;

/**
 * Emits `changed`, `gap` (something was lost on the way: connect again), `arrived` (a new operator message), and
 * `translated` (one of them, by a machine: it then has `translation: {rev, language, parts}`).
 * `items`: messages `{kind: "message", id, rev, from, name, initials, parts, withdrawn, reaction, at, session, o}` and notices
 * `{kind: "notice", key, name, until, desk, language, incident, contact, url, at, session, o}`, oldest first.
 */
export class Conversation extends Emitter {
  constructor() {
    super();
    this.forget();
  }

  forget() {
    this.session = null;
    this.position = null;
    this.items = [];
    this.messages = new Map();
    this.reached = new Set();
    this.early = new Map();
    this.typing = null;
    clearTimeout(this.gapTimer);
    clearTimeout(this.typingTimer);
  }

  get offset() {
    return this.position?.o ?? 0;
  }

  /** Is there a session that a message would go to? */
  get open() {
    return this.session !== null && this.session.state !== "closed";
  }

  /** Who answers now, or null. */
  get agent() {
    return this.open ? this.session.agent : null;
  }

  welcome({ session, resume, events, reached, position }) {
    if (resume === "reset") this.forget();
    this.session = session;
    this.more({ events, reached });
    if (this.offset === 0) this.position = position;
  }

  /** The (next part of the) events of a welcome. The server says that they are whole: they are not checked for gaps. */
  more({ events, reached }) {
    this.early.clear();
    clearTimeout(this.gapTimer);
    for (const event of events) if (event.pos.o > this.offset) this.#apply(event);
    for (const id of reached) this.reached.add(id);
    this.emit("changed");
  }

  /** A new session; what is shown of the old one stays as history. */
  begin(session) {
    this.session = session;
    this.position = null;
    this.early.clear();
    this.emit("changed");
  }

  /** One live event, or an own message made from its `ack`. */
  take(event) {
    if (event.session !== this.session?.code) return this.#stray(event);
    if (this.position && event.pos.e !== this.position.e) return this.emit("gap");
    if (event.pos.o <= this.offset) return undefined;
    this.early.set(event.pos.o, event);
    this.#settle();
    return this.emit("changed");
  }

  reach(id) {
    this.reached.add(id);
    this.emit("changed");
  }

  /** Somebody writes; it holds for a few seconds. */
  writes(who) {
    clearTimeout(this.typingTimer);
    this.typing = who;
    this.typingTimer = setTimeout(() => this.writes(null), TYPING_SECONDS * 1000);
    if (!who) clearTimeout(this.typingTimer);
    this.emit("changed");
  }

  /** The desk has said that `offset` is its newest; if that is news, something may be on the way, or lost. */
  head(offset) {
    if (offset > this.offset) this.#awaitMissing(5);
  }

  /** The newest message from an operator, or undefined. */
  newestReply() {
    return this.items.findLast((item) => item.kind === "message" && item.from === "operator");
  }

  /** How many operator messages of this session lie beyond `offset`. */
  repliesAfter(offset) {
    const mine = this.items.filter((item) => item.kind === "message" && item.from === "operator" && !item.withdrawn);
    return mine.filter((item) => item.session === this.session?.code && item.o > offset).length;
  }

  /** Of an older session only a revision of what we show can matter. Of an unknown one we missed the opening. */
  #stray(event) {
    if (!this.items.some((item) => item.session === event.session)) return this.emit("gap");
    if (this.messages.has(event.id)) this.#message(event);
    return this.emit("changed");
  }

  #settle() {
    for (let event; (event = this.early.get(this.offset + 1));) {
      this.early.delete(event.pos.o);
      const item = this.#apply(event);
      if (event.kind === "translation") item && this.emit("translated", item);
      else if (item?.from === "operator" && !item.withdrawn) this.emit("arrived", item);
    }
    clearTimeout(this.gapTimer);
    this.gapTimer = 0;
    if (this.early.size > 0) this.#awaitMissing(GAP_SECONDS);
  }

  #awaitMissing(seconds) {
    const before = this.offset;
    clearTimeout(this.gapTimer);
    this.gapTimer = setTimeout(() => this.offset === before && this.emit("gap"), seconds * 1000);
  }

  #apply(event) {
    this.position = event.pos;
    if (event.after && this.session) Object.assign(this.session, event.after);
    if (event.kind === "message") return this.#message(event);
    if (event.kind === "translation") return this.#translation(event);
    if (event.kind === "reaction") return this.#reaction(event);
    if (event.kind === "notice") this.items.push({ ...event, o: event.pos.o });
    return null;
  }

  /** Shown beside the original while that still says what was translated. */
  #translation({ id, rev, language, parts }) {
    const known = this.messages.get(id);
    if (!known || !parts) return null;
    known.translation = { rev, language, parts };
    return known;
  }

  /** The customer's own, from whichever page. One at a time stands at a message. */
  #reaction({ id, reaction, on }) {
    const known = this.messages.get(id);
    if (known && on) known.reaction = reaction;
    else if (known?.reaction === reaction) known.reaction = null;
    return null;
  }

  /** A message, or a later revision of one, which takes its place. */
  #message(event) {
    if (event.from === "operator") this.typing = null;
    const known = this.messages.get(event.id);
    if (!known) {
      const item = { ...event, o: event.pos.o };
      this.messages.set(event.id, item);
      this.items.push(item);
      return item;
    }
    const anew = event.anew || event.parts?.some((part) => part.removed); // the same wording, an attachment or a quote less
    if (event.rev > known.rev || event.withdrawn || (anew && event.rev === known.rev)) {
      if (event.rev > known.rev) known.edited = event.edited;
      Object.assign(known, { rev: event.rev, parts: event.parts, withdrawn: event.withdrawn });
      known.name = event.name ?? known.name;
      known.initials = event.initials ?? known.initials;
    }
    return null;
  }
}
