// Messages on their way. Each keeps its id on every attempt, so a repeat after a lost answer changes nothing.
// One at a time per conversation, in order; conversations do not wait for one another.

import { newId, tell } from "./api.js";

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15_000;

export class Outbox {
  /** `onChange(session)` when something of a conversation is queued, sent or refused; `onSent(session, answer)`. */
  constructor(kept, { onChange, onSent }) {
    this.kept = kept;
    this.onChange = onChange;
    this.onSent = onSent;
    this.messages = kept.unsent();
    this.busy = new Set();
    this.wait = FIRST_WAIT;
    this.hurry();
  }

  /** `kind` is the endpoint: "reply" or "note". */
  add(session, kind, parts, files) {
    const message = { id: newId(), session, kind, parts, files, at: Date.now(), refused: null };
    this.messages.push(message);
    this.kept.keepUnsent(message);
    this.onChange(session);
    this.go(session);
  }

  of(session) {
    return this.messages.filter((message) => message.session === session);
  }

  get size() {
    return this.messages.length;
  }

  /** The line is back: try everything that was not refused, at once. */
  hurry() {
    clearTimeout(this.again);
    this.wait = FIRST_WAIT;
    for (const session of new Set(this.messages.map((message) => message.session))) this.go(session);
  }

  retry(id) {
    const message = this.messages.find((one) => one.id === id);
    if (!message) return;
    message.refused = null;
    this.onChange(message.session);
    this.go(message.session);
  }

  /** Take a refused message out; what it said is answered, for the draft. */
  takeBack(id) {
    const message = this.messages.find((one) => one.id === id);
    if (message) this.remove(message);
    return message;
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.again);
  }

  async go(session) {
    if (this.busy.has(session)) return;
    this.busy.add(session);
    try {
      let next;
      while (!this.stopped && (next = this.of(session).find((message) => !message.refused))) {
        if (!(await this.deliver(next))) return;
      }
    } finally {
      this.busy.delete(session);
    }
  }

  /** True when the next one may go. */
  async deliver(message) {
    try {
      const path = `sessions/${encodeURIComponent(message.session)}/${message.kind}`;
      const answer = await tell(path, { id: message.id, parts: message.parts });
      this.remove(message);
      this.onSent(message.session, answer);
      return true;
    } catch (error) {
      if (error.retry || error.status === 401) {
        this.later();
        return false;
      }
      message.refused = error.code ?? "unknown";
      this.kept.keepUnsent(message);
      this.onChange(message.session);
      return true;
    }
  }

  later() {
    clearTimeout(this.again);
    const wait = this.wait;
    this.again = setTimeout(() => {
      this.hurry();
      this.wait = Math.min(wait * 2, LONGEST_WAIT);
    }, wait);
  }

  remove(message) {
    this.messages = this.messages.filter((one) => one !== message);
    this.kept.dropUnsent(message.id);
    this.onChange(message.session);
  }
}
