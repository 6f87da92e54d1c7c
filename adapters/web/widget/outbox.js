/*
 * Messages that are not known to be stored. Each is on the device before it is on the way, keeps its id until the desk
 * acknowledges it, and goes out in order: one at a time, since a refused one that is sent again would come last.
 */

import { Emitter } from "./emitter.js";

const FIRST_WAIT_SECONDS = 1;
const LONGEST_WAIT_SECONDS = 30;
const ANSWER_SECONDS = 20; // no ack and no refusal on a line that is up: say it again

/**
 * Emits `changed`. An entry: `{id, who, parts, files, topic, language, at, state, code}` with state `sending`,
 * `delayed` (the desk could not store it yet; we keep trying) or `failed` (sending it again as it is would not help).
 */
export class Outbox extends Emitter {
  constructor(keep, send) {
    super();
    this.keep = keep;
    this.send = send;
    this.entries = [];
    this.under = null; // the id under way
    this.waits = 0;
    this.timer = 0;
    this.quietUntil = 0; // the desk asked for patience
    this.open = false;
  }

  /** Take up what an earlier page left behind for this person. A visitor who logged in keeps what they wrote. */
  load(who) {
    const known = new Set(this.entries.map((entry) => entry.id));
    const kept = this.keep.keys("unsent/").map((key) => this.keep.get(key));
    const mine = (entry) => [who, "visitor"].includes(entry.who);
    const found = kept.filter((entry) => entry?.id && !known.has(entry.id));
    this.entries = [...found, ...this.entries].filter(mine).sort((a, b) => a.order - b.order);
    this.emit("changed");
  }

  add(message) {
    const last = this.entries.at(-1)?.order ?? 0;
    const entry = { ...message, id: freshId(), order: Math.max(Date.now(), last + 1), state: "sending", code: null };
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
    if (!entry) return;
    entry.state = "sending";
    this.#save(entry);
    this.emit("changed");
    this.waits = 0;
    this.quietUntil = 0;
    this.under = null;
    this.#next();
  }

  /** It is stored: by an `ack`, or because it stands among the conversation's events. */
  stored(id) {
    const entry = this.find(id);
    if (!entry) return null;
    this.#forget(entry);
    this.waits = 0;
    this.#next();
    return entry;
  }

  /** The desk did not store it. `after`: seconds to wait, or null. */
  refused(id, { retry, code, after }) {
    const entry = this.find(id);
    if (!entry) return;
    entry.state = retry ? "delayed" : "failed";
    entry.code = code;
    this.#save(entry);
    if (this.under === id) this.under = null;
    this.emit("changed");
    clearTimeout(this.timer);
    const wait = retry ? (after ?? this.#backOff()) * 1000 : 0;
    this.quietUntil = Date.now() + wait;
    this.timer = setTimeout(() => this.#next(), wait);
  }

  /** A person gave it up. */
  discard(id) {
    const entry = this.find(id);
    if (!entry) return;
    this.#forget(entry);
    this.#next();
  }

  find(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  clear() {
    this.pause();
    for (const key of this.keep.keys("unsent/")) this.keep.remove(key);
    this.entries = [];
    this.emit("changed");
  }

  #next() {
    if (!this.open || this.under || Date.now() < this.quietUntil) return;
    const entry = this.entries.find((each) => each.state !== "failed");
    if (!entry) return;
    this.under = entry.id;
    this.send(entry);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#overdue(entry.id), ANSWER_SECONDS * 1000);
  }

  #overdue(id) {
    if (this.under !== id) return;
    this.under = null;
    this.#next();
  }

  #save(entry) {
    this.keep.set(`unsent/${String(entry.order).padStart(15, "0")}-${entry.id}`, entry);
  }

  #forget(entry) {
    this.keep.remove(`unsent/${String(entry.order).padStart(15, "0")}-${entry.id}`);
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

/** 128 random bits in the letters that the protocol allows. */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
