/*
 * The customer's side of one conversation, without a single pixel: connection, identity, outbox and what was said.
 * The faces listen to `changed` and draw what they find here.
 */

import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { Emitter } from "./emitter.js";
import { Identity } from "./identity.js";
import { News } from "./news.js";
import { Outbox, freshId } from "./outbox.js";
import { STAY } from "./storage.js";

const RENEW_BEFORE_SECONDS = 60;
const LONGEST_TIMER_MS = 2 ** 31 - 1; // a later one would fire at once
const TYPING_EVERY_MS = 3000;
const LOGOUT_SECONDS = 8;
const LIMITS = { text: 4000, parts: 10, file: 20_000_000, chunk: 262_144, revise: 0 }; // until the desk names its own
const CHANGES = new Set(["message", "revise", "withdraw", "react"]); // frames that the outbox answers for

/**
 * Emits `changed`, `arrived` (an operator's message came in live), `translated` (one that is here was, live), `moved`
 * (the customer's place in the line), `unread` (a count), `notice` (a live notice), `turned` (another's turn to write;
 * true: a stranger's), `taken` (a message that another tab has written), `erased` (log out; the token of the uploads)
 * and `obsolete` (this page is too old for the desk).
 */
export class Chat extends Emitter {
  constructor({ base, keep, shelf, locale }) {
    super();
    this.base = base;
    this.keep = keep;
    this.shelf = shelf;
    this.locale = locale;
    this.house = {
      topics: null,
      brand: {},
      contact: [],
      emergency: [],
      policy: null,
      seen: false,
      reactions: [],
      ...keep.get("house"),
    };
    this.limits = { ...LIMITS, revise: keep.get("house")?.revise ?? 0 };
    this.behind = 0; // ms by which this device's clock is behind the desk's
    this.uploadToken = null;
    this.topic = null;
    this.anew = false; // the last conversation is over, and another is about to begin
    this.pageTold = null;
    this.jwtTold = null;
    this.troubled = false; // a try to connect has failed since we were last welcome
    this.unread = 0;
    this.typedAt = 0;
    this.previews = new Map(); // own files by id, as they lie on this device
    this.landed = new Map(); // stored messages, by id, whose place among the events is not known yet
    this.stay = null;
    this.leaver = null; // who is being logged out; nobody sits here until then
    this.wanted = false; // somebody waits for the logout to be over
    this.questions = new Map(); // answers and endings under way, by id
    this.identity = new Identity(keep);
    this.connection = new Connection(base, () => this.#hello());
    this.conversation = new Conversation();
    this.news = new News();
    this.outbox = new Outbox(keep, (entry) => this.#transmit(entry));
    this.#wire();
    this.outbox.load(this.identity.who);
  }

  get online() {
    return this.connection.online;
  }

  /** Is there nothing to write to, until somebody asks for a new conversation? */
  get over() {
    const closed = this.conversation.session?.state === "closed";
    return closed && !this.anew && this.outbox.messages.length === 0;
  }

  /** The page has loaded. Where it was a logout that woke it, and nobody has logged in since, no line is wanted. */
  begin() {
    if (!this.leaver || this.identity.jwt) this.open();
  }

  open() {
    if (this.leaver) this.wanted = true;
    else this.connection.open();
  }

  /** Put a message on its way. `items`: finished uploads, which stay on the shelf until it is stored. */
  write(text, items = []) {
    const files = items.map(({ file }) => file);
    const parts = text ? [{ type: "text", text }] : [];
    parts.push(...files.map(({ id }) => ({ type: "file", file: id })));
    for (const { file, blob } of items) this.previews.set(file.id, blob);
    this.open();
    const kept = { topic: this.topic, language: this.locale, at: Date.now() };
    const entry = this.outbox.add({ ...kept, parts, files, shelved: items.map(({ key }) => key) });
    for (const item of items) this.shelf.put({ ...item, message: entry.id });
    this.typedAt = 0;
    return entry;
  }

  /** A file of a message that is not stored yet, found on this device. */
  show({ file, blob }) {
    this.previews.set(file.id, blob);
    this.emit("changed");
  }

  /** Take back what was not sent: its text, and its files as they lie here. One that the desk lost is uploaded anew. */
  takeBack(entry) {
    const texts = entry.parts.filter((part) => part.type === "text").map((part) => part.text);
    const lost = entry.code === "unknown_file";
    const item = (file) => ({ file: lost ? null : file, name: file.name, blob: this.previews.get(file.id) });
    const items = entry.files.map(item);
    this.outbox.discard(entry.id);
    for (const key of entry.shelved ?? []) this.shelf.remove(key);
    return { text: texts.join("\n"), items: items.filter(({ blob }) => blob) };
  }

  /** Other words for an own message; its files stay. */
  revise(item, text) {
    const shown = item.parts.filter((part) => part.type !== "text");
    if (text) shown.unshift({ type: "text", text });
    const parts = shown.map((part) => (part.type === "text" ? part : { type: "file", file: part.file }));
    this.open();
    this.outbox.change({ t: "revise", message: item.id, parts, shown });
  }

  withdraw(item) {
    this.open();
    this.outbox.change({ t: "withdraw", message: item.id });
  }

  react(item, reaction, on) {
    this.open();
    this.outbox.change({ t: "react", message: item.id, reaction, on });
  }

  /** Is there still time? The desk has the last word; this only spares people a refusal. */
  mayChange({ at, session, entry }) {
    if (entry) return entry.state !== "failed" && this.limits.revise > 0;
    return this.#current(session) && Date.now() + this.behind - at < this.limits.revise;
  }

  mayReact({ session }) {
    return this.#current(session) && this.house.reactions?.length > 0;
  }

  #current(session) {
    return this.conversation.open && session === this.conversation.session.code;
  }

  typing() {
    if (!this.conversation.open || Date.now() - this.typedAt < TYPING_EVERY_MS) return;
    this.typedAt = Date.now();
    this.connection.send({ t: "typing" });
  }

  /** Everything that is here was on the screen. */
  saw() {
    const { session, offset } = this.conversation;
    if (!session || this.unread === 0) return;
    this.keep.set("read", { session: session.code, o: offset });
    this.#acknowledge(true);
    this.#count();
  }

  /** Answer "did this solve it?". */
  answer(solved) {
    this.#question({ t: "answer", solved });
  }

  end() {
    this.#question({ t: "end" });
  }

  /** Go on in another language: that of an offer which the customer takes. */
  choose(language) {
    this.#question({ t: "choose_language", language });
  }

  /** Is an answer or an ending on its way? */
  get busy() {
    return this.questions.size > 0;
  }

  /** Who is logged in on the site; null: nobody any more. */
  identify(jwt) {
    if (!this.identity.login(jwt) || this.leaver) return;
    if (!this.identity.jwt) this.connection.again(0);
    else if (this.online) this.#identify();
  }

  /** The reader's language has changed: the desk knows people by other names there. */
  speak(locale) {
    if (this.locale === locale) return;
    this.locale = locale;
    this.connection.again(0);
  }

  /** Leave nothing of this person on the device, and have the desk forget the token. `token`: one taken off before. */
  logout(token) {
    const { identity, connection } = this;
    const leaver = { token: identity.token ?? token ?? null, jwt: identity.stale ? null : identity.jwt };
    this.leaver = leaver.token || leaver.jwt ? leaver : this.leaver;
    this.#erase();
    if (!this.leaver) return connection.close();
    clearTimeout(this.leaveTimer);
    this.leaveTimer = setTimeout(() => this.#left(), LOGOUT_SECONDS * 1000);
    if (connection.send({ t: "logout" })) return undefined;
    connection.close();
    return connection.open();
  }

  /** Another tab has changed what this device keeps: `value` stands under `key` now, for the first time if `fresh`. */
  elsewhere(key, value, fresh) {
    if (key === STAY && value === null) this.#gone();
    if (key === "read") this.#count();
    if (!key.startsWith("unsent/")) return;
    if (value && fresh) this.emit("taken", value);
    this.outbox.elsewhere(key, value);
  }

  /** The site has wiped its storage under us. What this page still holds is kept again. */
  keepAgain() {
    if (this.stay) this.keep.set(STAY, this.stay);
    if (this.identity.token) this.keep.set("token", this.identity.token);
    this.outbox.keepAgain();
  }

  /** The page comes back from the browser's cache, and somebody may have logged out since. */
  wake() {
    if (this.#strange || (this.stay && this.keep.get(STAY) === null)) this.#gone();
    else this.outbox.wake();
  }

  /** Has somebody logged out here, and another begun, without our noticing? */
  get #strange() {
    const kept = this.keep.get(STAY);
    return this.stay !== null && kept !== null && kept !== this.stay;
  }

  #wire() {
    const { connection, conversation, outbox } = this;
    connection.on("frame", (frame) => this.#hear(frame));
    connection.on("offline", () => this.#offline());
    connection.on("attempt", () => {
      this.troubled = true;
      this.emit("changed");
    });
    conversation.on("gap", () => connection.again(0));
    conversation.on("arrived", (item) => this.emit("arrived", item));
    conversation.on("translated", (item) => this.emit("translated", item));
    conversation.on("changed", () => {
      for (const id of this.landed.keys()) if (conversation.messages.has(id)) this.landed.delete(id);
      this.#count();
      this.emit("changed");
    });
    outbox.on("changed", () => this.emit("changed"));
    this.identity.on("turned", (stranger) => this.#turned(stranger));
  }

  /** One method for each type of frame; an unknown type has none, and is ignored. Who is leaving hears nothing more. */
  #hear(frame) {
    if (this.leaver) this.#leave(frame);
    else if (Object.hasOwn(Chat.prototype, `_${frame.t}`)) this[`_${frame.t}`](frame);
  }

  async #hello() {
    const credentials = this.leaver ?? (await this.identity.credentials());
    const { session, position } = this.conversation;
    this.pageTold = page();
    this.jwtTold = credentials.jwt;
    const here = position ? { session: session.code, position } : {};
    const tz = Intl.DateTimeFormat().resolvedOptions().timeZone;
    return { t: "hello", v: 1, ...credentials, locale: this.locale, page: this.pageTold, tz, ...here };
  }

  /** What is written from here on waits until the desk has answered: it is to go where the account's messages go. */
  #identify() {
    const { jwt } = this.identity;
    const { session, position } = this.conversation;
    this.jwtTold = jwt;
    this.outbox.pause();
    this.connection.send({ t: "identify", jwt, session: session?.code ?? null, position });
  }

  /** Another's turn to write. What belongs to the one before stays on the device, and leaves the screen. */
  #turned(stranger) {
    if (stranger) this.#clearTable();
    this.outbox.load(this.identity.who);
    this.emit("turned", stranger);
    if (stranger) this.connection.again(0); // one line, one account
    this.emit("changed");
  }

  #offline() {
    this.outbox.pause();
    this.questions.clear();
    this.conversation.writes(null);
  }

  #transmit({ id, parts, topic, language, change }) {
    if (change) {
      const { shown: _, ...frame } = change;
      this.connection.send({ ...frame, id });
      return;
    }
    if (!this.conversation.open && this.pageTold !== page()) {
      this.connection.again(0); // a conversation opens with the page on which it was begun
      return;
    }
    this.connection.send({ t: "message", id, parts, topic, language });
  }

  #question(frame) {
    const id = freshId();
    if (!this.connection.send({ ...frame, id })) return;
    this.questions.set(id, frame.t);
    this.emit("changed");
  }

  // What the desk says.

  _welcome(frame) {
    const { customer, token, limits, topics, brand, contact, emergency, policy_url: policy, seen } = frame;
    const titles = frame.topic_titles;
    if (!this.identity.accept(token)) return this.connection.again(0); // two tabs began at once: they are one visitor
    if (this.#strange) return this.#gone();
    this.stay ??= this.keep.get(STAY) ?? freshId();
    this.keep.set(STAY, this.stay);
    this.troubled = false;
    this.limits = limits;
    this.behind = frame.now - Date.now();
    this.uploadToken = frame.upload_token;
    const { reactions } = frame;
    const house = { topics, titles, under: frame.topic_under, brand, contact, emergency, policy, seen };
    this.house = { ...house, reactions, revise: limits.revise };
    this.keep.set("house", this.house);
    this.#renewBefore(customer.expires);
    this.news.welcome(frame);
    this.conversation.welcome(frame);
    this.emit("welcomed");
    return frame.more ? undefined : this.#caughtUp();
  }

  _events(frame) {
    this.conversation.more(frame);
    if (!frame.more) this.#caughtUp();
  }

  _session({ session }) {
    this.anew = false;
    this.news.clear();
    this.conversation.begin(session);
  }

  _event(event) {
    if (event.from === "you") this.#landed(event.id);
    this.conversation.take(event);
    if (event.kind === "notice") this.emit("notice", event);
  }

  _ack({ id, session, pos, at, after, files }) {
    const entry = this.#landed(id);
    this.questions.delete(id);
    if (entry && pos) this.conversation.take({ ...asEvent(entry, files ?? {}), session, pos, at, after });
    this.emit("changed");
  }

  _refused(frame) {
    if (CHANGES.has(frame.of) && frame.id) this.outbox.refused(frame.id, frame);
    if (this.questions.delete(frame.id)) this.emit("changed");
    if (frame.of === "identify") {
      this.identity.stale = !frame.retry; // ask the site for another, or go on as a visitor
      this.connection.again(frame.after ?? 0);
    }
  }

  _reached({ message: id }) {
    this.conversation.reach(id);
  }

  _typing({ name, initials }) {
    this.conversation.writes({ name, initials });
  }

  _queue(frame) {
    const moved = this.news.place(frame);
    this.emit("changed");
    if (moved) this.emit("moved", this.news.placeOf(this.conversation.session));
  }

  _house(frame) {
    this.news.house(frame);
    this.emit("changed");
  }

  _beat({ o }) {
    this.conversation.head(o);
  }

  _refreshed({ upload_token: token, expires }) {
    this.uploadToken = token;
    this.#renewBefore(expires);
  }

  _bye({ code, retry_after: after }) {
    if (code === "logged_out") this.#gone(); // in another tab
    else if (code === "unsupported_version") this.#obsolete();
    else if (code === "hello_refused") this.connection.again(30);
    else {
      if (code === "expired" || code === "token_refused") this.identity.stale = true;
      this.connection.again(after ?? null);
    }
  }

  /** All of a welcome is here: what is among its events was stored, the rest goes out again. */
  #caughtUp() {
    this.outbox.load(this.identity.who);
    for (const { id } of [...this.outbox.entries]) if (this.conversation.messages.has(id)) this.#landed(id);
    this.landed.clear();
    if (this.identity.jwt && this.identity.jwt !== this.jwtTold) return this.#identify(); // logged in meanwhile
    this.outbox.resume();
    this.#acknowledge(false);
    return this.emit("changed");
  }

  /** It is stored, and shown as that even where an event before it is still on its way. */
  #landed(id) {
    const entry = this.outbox.stored(id);
    if (entry?.change) return null; // its event has told of it
    for (const key of entry?.shelved ?? []) this.shelf.remove(key);
    if (entry) this.landed.set(id, { ...entry, state: "sent" });
    return entry;
  }

  /** Tell the desk the newest of its messages that is on the device, or on the screen. */
  #acknowledge(seen) {
    const newest = this.conversation.newestReply();
    if (newest) this.connection.send({ t: "received", message: newest.id, seen });
  }

  #count() {
    const { session } = this.conversation;
    const read = this.keep.get("read");
    const unread = this.conversation.repliesAfter(read?.session === session?.code ? (read?.o ?? 0) : 0);
    if (this.conversation.open || unread > 0) this.keep.set("live", session.code);
    else if (this.online) this.keep.remove("live");
    if (unread === this.unread) return;
    if (unread > this.unread) this.#acknowledge(false);
    this.unread = unread;
    this.emit("unread", unread);
  }

  #renewBefore(expires) {
    clearTimeout(this.renewTimer);
    if (!expires) return;
    const wait = Math.max(0, expires - Date.now() - RENEW_BEFORE_SECONDS * 1000);
    this.renewTimer = setTimeout(() => this.#renew(), Math.min(wait, LONGEST_TIMER_MS));
  }

  async #renew() {
    const { jwt, who } = this.identity;
    if (!jwt) return; // it has lapsed before its time
    const fresh = await this.identity.fresh();
    if (!fresh || this.identity.jwt !== jwt) return; // ours is good for a while yet; the desk says when it is not
    this.identity.login(fresh);
    if (this.identity.who === who && this.connection.send({ t: "refresh", jwt: fresh })) this.jwtTold = fresh;
  }

  /** Nothing of what was said, or is being said, is on the screen any more. */
  #clearTable() {
    clearTimeout(this.renewTimer);
    this.uploadToken = null;
    this.conversation.forget();
    this.news.clear();
    this.questions.clear();
    this.previews.clear();
    this.landed.clear();
    this.topic = null;
    this.anew = false;
    this.unread = 0;
    this.emit("unread", 0);
  }

  #erase() {
    const { uploadToken } = this;
    this.#clearTable();
    this.outbox.clear();
    this.identity.forget();
    this.outbox.load(this.identity.who);
    this.stay = null;
    this.keep.clear();
    this.shelf.clear();
    this.emit("erased", uploadToken);
    this.emit("changed");
  }

  /** Logged out in another tab. */
  #gone() {
    if (this.leaver) return;
    this.connection.close();
    this.#erase();
  }

  /** The line is still the one's who leaves. */
  #leave({ t, code, retry_after: after }) {
    if (t === "welcome") this.connection.send({ t: "logout" });
    if (t !== "bye") return undefined;
    if (code === "logged_out") return this.#left();
    if (code !== "expired" && code !== "token_refused") return this.connection.again(after ?? null);
    this.leaver.jwt = null; // it is worth nothing any more
    return this.leaver.token ? this.connection.again(0) : this.#left();
  }

  #left() {
    clearTimeout(this.leaveTimer);
    const wanted = this.wanted || this.outbox.entries.length > 0;
    this.leaver = null;
    this.wanted = false;
    this.connection.close();
    if (wanted) this.connection.open();
  }

  #obsolete() {
    this.connection.close();
    this.emit("obsolete");
  }
}

/** Origin and path, never the query or the fragment: sites put secrets there. */
function page() {
  return location.origin + location.pathname;
}

/** An own message, from the outbox, as its event would say it. `links`: the desk's, by file id. */
export function asEvent({ id, parts, files, at }, links = {}) {
  const shown = parts.map((part) =>
    part.type === "text" ? part : filePart(files.find((file) => file.id === part.file), part.file, links),
  );
  const said = { kind: "message", id, rev: 0, from: "you", name: null, initials: null, parts: shown, withdrawn: false };
  return { ...said, at };
}

function filePart({ name = "", type = "", size = 0, width = 0, height = 0 } = {}, file, links) {
  return { type: "file", file, name, media: type, size, width, height, url: links[file] ?? null };
}
