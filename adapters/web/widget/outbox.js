/*
 * Messages, and changes to messages, that are not known to be stored. Each is on the device before it is on the way, keeps its id until the desk
 * acknowledges it, and goes out in order: one at a time, since a refused one that is sent again would come last.
 *
 * The tabs of one person share them. Two that send the same one send it under the same id, which is harmless; what one
 * of them took back to edit, or moved to an account, the others must not send any more, so each looks before it sends.
 */

import { Emitter } from "./emitter.js";

const FIRST_WAIT_SECONDS = 1;
const LONGEST_WAIT_SECONDS = 30;
const ANSWER_SECONDS = 20; // no ack and no refusal on a line that is up: say it again
const TAKEN = "taken/"; // under it, by id: when an entry was sent or taken back, for the tabs whose event is yet to come
const TAKEN_FOR_MS = 3_600_000;

/**
 * Emits `changed`. An entry: `{id, who, parts, files, shelved, topic, language, at, state, code}` with state `sending`,
 * `delayed` (the desk could not store it yet; we keep trying) or `failed` (sending it again as it is would not help).
 * `shelved` are the keys of its files on the shelf. A change has `change` in place of parts and files:
 * `{t: "revise" | "withdraw" | "react", message, …}`, which an older version of this widget leaves alone.
 */
export class Outbox extends Emitter {
  constructor(keep, send) {
    super();
    this.keep = keep;
    this.send = send;
    this.who = "visitor";
    this.entries = [];
    this.taken = new Set(); // ids that another tab has sent, or taken back
    this.under = null; // the id under way
    this.waits = 0;
    this.timer = 0;
    this.quietUntil = 0; // the desk asked for patience
    this.open = false;
  }

  /** What is on this device for this person. A visitor who logged in keeps what they wrote, and nobody else gets it. */
  load(who) {
    this.who = who;
    this.#forgetTaken();
    this.keepAgain();
    const kept = this.keep.keys("unsent/").map((key) => this.keep.get(key));
    const mine = kept.filter((entry) => whole(entry) && [who, "visitor"].includes(entry.who));
    this.entries = mine.map((entry) => this.find(entry.id) ?? entry).sort((a, b) => a.order - b.order);
    for (const entry of this.entries.filter((each) => each.who !== who)) this.#save(Object.assign(entry, { who }));
    if (!this.find(this.under)) this.under = null;
    this.emit("changed");
  }

  /** Another tab has changed what is kept under one of our keys. `entry`: what is there now, or null. */
  elsewhere(key, entry) {
    const known = this.entries.find((each) => place(each) === key);
    if (!entry && known) this.taken.add(known.id);
    if (!entry && known?.state === "failed") this.#drop(known);
    if (entry && !known) setTimeout(() => this.#takeOver(), ANSWER_SECONDS * 1000);
  }

  /** What is gone without another tab's doing was wiped by the site. It is kept again. */
  keepAgain() {
    const wiped = this.entries.filter((entry) => !this.#taken(entry.id) && !this.keep.get(place(entry)));
    for (const entry of wiped) this.#save(entry);
  }

  /** Has another tab sent it, or taken it back? What it did can be read here before its event comes. */
  #taken(id) {
    return this.taken.has(id) || this.keep.get(TAKEN + id) !== null;
  }

  #forgetTaken() {
    for (const key of this.keep.keys(TAKEN)) if (!(Date.now() - this.keep.get(key) < TAKEN_FOR_MS)) this.keep.remove(key);
  }

  /** Other pages may have done anything meanwhile: only what lies on the device counts. */
  wake() {
    this.entries = [];
    this.load(this.who);
  }

  /** The messages among them. */
  get messages() {
    return this.entries.filter((entry) => !entry.change);
  }

  /** What waits to be done to a message, oldest first. */
  changesOf(message) {
    return this.entries.filter((entry) => entry.change?.message === message);
  }

  /** A change to a message. What was refused before is not spoken of any more; of reactions only the last one counts. */
  change(change) {
    const over = (entry) => entry.state === "failed" || (change.t === "react" && entry.id !== this.under);
    for (const entry of this.changesOf(change.message).filter(over)) this.discard(entry.id);
    return this.add({ change, at: Date.now() });
  }

  add(message) {
    const last = this.entries.at(-1)?.order ?? 0;
    const order = Math.max(Date.now(), last + 1);
    const entry = { ...message, id: freshId(), who: this.who, order, state: "sending", code: null };
    this.entries.push(entry);
    this.#save(entry);
    this.emit("changed");
    this.#next();
    return entry;
  }

  /** The line is up: begin again with the oldest. */
  resume() {
    this.open = true;
    this.under = null;
    this.quietUntil = 0;
    this.#next();
  }

  /** The line is down. What was under way may or may not have arrived; its id makes both harmless. */
  pause() {
    this.open = false;
    this.under = null;
    clearTimeout(this.timer);
  }

  /** A person pressed Retry. */
  retry(id) {
    const entry = this.find(id);
    if (!entry || !this.#mine(entry)) return this.load(this.who);
    entry.state = "sending";
    this.#save(entry);
    this.emit("changed");
    this.waits = 0;
    this.quietUntil = 0;
    if (this.under === id) this.under = null;
    return this.#next();
  }

  /** It is stored: by an `ack`, or because it stands among the conversation's events. */
  stored(id) {
    const entry = this.find(id);
    if (!entry) return null;
    this.waits = 0;
    this.discard(id, true);
    return entry;
  }

  /** The desk did not store it. `after`: seconds to wait, or null. */
  refused(id, { retry, code, after }) {
    const entry = this.find(id);
    if (!entry) return;
    if (!retry && entry.change?.t === "react") return void this.discard(id); // what it was shows that it came to nothing
    entry.state = retry ? "delayed" : "failed";
    entry.code = code;
    if (this.#mine(entry)) this.#save(entry);
    if (this.under === id) this.under = null;
    this.emit("changed");
    clearTimeout(this.timer);
    // Whole milliseconds: a timer cuts fractions off, would come before the pause is over, and nobody would ask again.
    const wait = retry ? Math.ceil((after ?? this.#backOff()) * 1000) : 0;
    this.quietUntil = Date.now() + wait;
    this.timer = setTimeout(() => this.#next(), wait);
  }

  /** It is not to be sent any more: it is `stored`, or it was taken back, and what was to become of it with it. */
  discard(id, stored = false) {
    const entry = this.find(id);
    if (!entry) return;
    this.keep.set(TAKEN + id, Date.now());
    this.keep.remove(place(entry));
    this.#drop(entry);
    if (!entry.change && !stored) for (const each of this.changesOf(id)) this.discard(each.id);
    this.#next();
  }

  find(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  /** Is it kept on this device, whoever wrote it? */
  keeps(id) {
    return this.keep.keys("unsent/").some((key) => key.endsWith(`-${id}`));
  }

  clear() {
    this.pause();
    for (const key of this.keep.keys("unsent/")) this.keep.remove(key);
    this.entries = [];
    this.taken.clear();
    this.emit("changed");
  }

  #next() {
    if (!this.open || this.under) return;
    const quiet = this.quietUntil - Date.now();
    if (quiet > 0) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#next(), quiet);
      return;
    }
    const entry = this.entries.find((each) => each.state !== "failed" && !this.#orphaned(each));
    if (!entry) return;
    if (!this.#mine(entry)) {
      this.#drop(entry);
      return void this.#next();
    }
    this.under = entry.id;
    this.send(entry);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#overdue(entry.id), ANSWER_SECONDS * 1000);
  }

  /** A change to a message that itself was not taken. */
  #orphaned({ change }) {
    return change !== undefined && this.find(change.message)?.state === "failed";
  }

  #overdue(id) {
    if (this.under !== id) return;
    this.under = null;
    this.#next();
  }

  /** The tab that wrote it has had the time to send it, and may be closed: what is still there is anybody's to send. */
  #takeOver() {
    this.load(this.who);
    this.#next();
  }

  /** Is it still this person's to send? Another tab may have sent it, taken it back, or moved it to an account. */
  #mine(entry) {
    this.keepAgain();
    return this.keep.get(place(entry))?.who === entry.who;
  }

  #save(entry) {
    this.keep.set(place(entry), entry);
  }

  #drop(entry) {
    this.entries = this.entries.filter((each) => each !== entry);
    if (this.under === entry.id) this.under = null;
    this.emit("changed");
  }

  #backOff() {
    const most = Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** this.waits);
    this.waits += 1;
    return most * (0.5 + Math.random() / 2);
  }
}

/** Where it is kept: sorted by the order in which they were written. */
function place({ order, id }) {
  return `unsent/${String(order).padStart(15, "0")}-${id}`;
}

/** Another version of this widget may have left something else. */
function whole(entry) {
  if (entry?.change) return Boolean(entry.id && entry.change.t && entry.change.message);
  return Boolean(entry?.id && Array.isArray(entry.parts) && Array.isArray(entry.files));
}

/** 128 random bits in the letters that the protocol allows. */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
