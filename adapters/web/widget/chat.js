/*
 * The customer's side of one conversation, without a single pixel: connection, identity, outbox and what was said.
 * The faces listen to `changed` and draw what they find here.
 */

import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { Emitter } from "./emitter.js";
import { Identity } from "./identity.js";
import { Outbox, freshId } from "./outbox.js";

const RENEW_BEFORE_SECONDS = 60;
const LONGEST_TIMER_MS = 2 ** 31 - 1; // a later one would fire at once
const TYPING_EVERY_MS = 3000;
const LOGOUT_SECONDS = 8;
const LIMITS = { text: 4000, parts: 10, file: 20_000_000, chunk: 262_144 }; // until the desk names its own

/**
 * Emits `changed`, `arrived` (an operator's message came in live), `unread` (a count), `notice` (a live notice),
 * `erased` (log out) and `obsolete` (this page is too old for the desk).
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
      ...keep.get("house"),
    };
    this.limits = LIMITS;
    this.uploadToken = null;
    this.topic = null;
    this.anew = false; // the last conversation is over, and another is about to begin
    this.pageTold = null;
    this.jwtTold = null;
    this.troubled = false; // a try to connect has failed since we were last welcome
    this.unread = 0;
    this.typedAt = 0;
    this.previews = new Map(); // own pictures by file id: the desk's links to them come with the next welcome
    this.questions = new Map(); // answers and endings under way, by id
    this.identity = new Identity(keep);
    this.connection = new Connection(base, () => this.#hello());
    this.conversation = new Conversation();
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
    return closed && !this.anew && this.outbox.entries.length === 0;
  }

  open() {
    this.connection.open();
  }

  /** Put a message on its way. `files`: what the finished uploads said. */
  write(text, files = []) {
    const parts = text ? [{ type: "text", text }] : [];
    parts.push(...files.map(({ file }) => ({ type: "file", file: file.id })));
    for (const { file, blob } of files) this.previews.set(file.id, blob);
    this.open();
    const kept = { who: this.identity.who, topic: this.topic, language: this.locale, at: Date.now() };
    const entry = this.outbox.add({ ...kept, parts, files: files.map(({ file }) => file) });
    this.typedAt = 0;
    return entry;
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

  /** Another tab has shown what came in. */
  count() {
    this.#count();
  }

  /** Answer "did this solve it?". */
  answer(solved) {
    this.#question({ t: "answer", solved });
  }

  end() {
    this.#question({ t: "end" });
  }

  /** Is an answer or an ending on its way? */
  get busy() {
    return this.questions.size > 0;
  }

  identify(jwt) {
    if (jwt === this.identity.jwt && !this.identity.stale) return; // said again at each of a site's navigations
    this.identity.jwt = jwt;
    this.identity.stale = false;
    this.outbox.load(this.identity.who);
    if (this.online) this.#identify();
  }

  /** The reader's language has changed: the desk knows people by other names there. */
  speak(locale) {
    if (this.locale === locale) return;
    this.locale = locale;
    this.connection.again(0);
  }

  /** Leave nothing of this person on the device, and have the desk forget the token. `token`: one taken off before. */
  async logout(token) {
    const { jwt } = this.identity;
    this.#erase();
    this.identity.token ??= token ?? null;
    this.identity.jwt = jwt;
    this.leaving = Boolean(this.identity.token || jwt);
    if (!this.leaving) return this.#gone();
    this.leaveTimer = setTimeout(() => this.#gone(), LOGOUT_SECONDS * 1000);
    if (!this.connection.send({ t: "logout" })) this.open();
    return undefined;
  }

  #wire() {
    const { connection, conversation, outbox } = this;
    connection.on("frame", (frame) => Object.hasOwn(Chat.prototype, `_${frame.t}`) && this[`_${frame.t}`](frame));
    connection.on("offline", () => this.#offline());
    connection.on("attempt", () => {
      this.troubled = true;
      this.emit("changed");
    });
    conversation.on("gap", () => connection.again(0));
    conversation.on("arrived", (item) => this.emit("arrived", item));
    conversation.on("changed", () => {
      this.#count();
      this.emit("changed");
    });
    outbox.on("changed", () => this.emit("changed"));
  }

  async #hello() {
    const credentials = await this.identity.credentials();
    const { session, position } = this.conversation;
    this.pageTold = page();
    this.jwtTold = credentials.jwt;
    const here = position ? { session: session.code, position } : {};
    const tz = Intl.DateTimeFormat().resolvedOptions().timeZone;
    return { t: "hello", v: 1, ...credentials, locale: this.locale, page: this.pageTold, tz, ...here };
  }

  #identify() {
    const { jwt } = this.identity;
    const { session, position } = this.conversation;
    this.jwtTold = jwt;
    this.connection.send({ t: "identify", jwt, session: session?.code ?? null, position });
  }

  #offline() {
    this.outbox.pause();
    this.questions.clear();
    this.conversation.writes(null);
  }

  #transmit({ id, parts, topic, language }) {
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

  // What the desk says: one method for each type of frame; an unknown type has none, and is ignored.

  _welcome(frame) {
    if (this.leaving) return void this.connection.send({ t: "logout" });
    const { customer, token, limits, topics, brand, contact, emergency, policy_url: policy, seen } = frame;
    const titles = frame.topic_titles;
    this.identity.accept(token);
    this.troubled = false;
    this.limits = limits;
    this.uploadToken = frame.upload_token;
    this.house = { topics, titles, brand, contact, emergency, policy, seen };
    this.keep.set("house", this.house);
    this.#renewBefore(customer.expires);
    this.conversation.welcome(frame);
    this.emit("welcomed");
    if (!frame.more) this.#caughtUp();
  }

  _events(frame) {
    this.conversation.more(frame);
    if (!frame.more) this.#caughtUp();
  }

  _session({ session }) {
    this.anew = false;
    this.conversation.begin(session);
  }

  _event(event) {
    if (event.id) this.outbox.stored(event.id);
    this.conversation.take(event);
    if (event.kind === "notice") this.emit("notice", event);
  }

  _ack({ id, session, pos, at, after }) {
    const entry = this.outbox.stored(id);
    this.questions.delete(id);
    if (entry && pos) this.conversation.take({ ...asEvent(entry), session, pos, at, after });
    this.emit("changed");
  }

  _refused(frame) {
    if (frame.of === "message" && frame.id) this.outbox.refused(frame.id, frame);
    if (this.questions.delete(frame.id)) this.emit("changed");
    if (frame.of === "identify") {
      this.identity.stale = true; // ask the site for another, or go on as a visitor
      this.connection.again(0);
    }
  }

  _reached({ message: id }) {
    this.conversation.reach(id);
  }

  _typing({ name, initials }) {
    this.conversation.writes({ name, initials });
  }

  _beat({ o }) {
    this.conversation.head(o);
  }

  _refreshed({ upload_token: token, expires }) {
    this.uploadToken = token;
    this.#renewBefore(expires);
  }

  _bye({ code, retry_after: after }) {
    if (code === "logged_out") this.#gone();
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
    for (const { id } of [...this.outbox.entries]) if (this.conversation.messages.has(id)) this.outbox.stored(id);
    if (this.identity.jwt && this.identity.jwt !== this.jwtTold) return this.#identify(); // logged in meanwhile
    this.outbox.resume();
    this.#acknowledge(false);
    return this.emit("changed");
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
    const fresh = await this.identity.fresh();
    if (!fresh) return; // ours is good for a little while yet; the desk says when it is not
    this.identity.jwt = fresh;
    this.jwtTold = fresh;
    this.connection.send({ t: "refresh", jwt: fresh });
  }

  #erase() {
    clearTimeout(this.renewTimer);
    if (!this.online) this.connection.close();
    this.identity.keep.remove("token");
    this.outbox.clear();
    this.conversation.forget();
    this.questions.clear();
    this.previews.clear();
    this.topic = null;
    this.anew = false;
    this.unread = 0;
    this.keep.clear();
    this.shelf.clear();
    this.emit("erased");
    this.emit("unread", 0);
    this.emit("changed");
  }

  #gone() {
    clearTimeout(this.leaveTimer);
    const again = !this.leaving; // another tab has logged out
    this.leaving = false;
    this.connection.close();
    if (again) this.#erase();
    this.identity.forget();
    this.uploadToken = null;
    this.keep.clear();
    this.emit("changed");
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

/** An own message, from the outbox, as its event would say it. */
export function asEvent({ id, parts, files, at }) {
  const shown = parts.map((part) =>
    part.type === "text" ? part : filePart(files.find((file) => file.id === part.file)),
  );
  const said = { kind: "message", id, rev: 0, from: "you", name: null, initials: null, parts: shown, withdrawn: false };
  return { ...said, at };
}

function filePart({ id, name, type, size, width, height }) {
  return { type: "file", file: id, name, media: type, size, width, height, url: null };
}
