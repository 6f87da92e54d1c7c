/*
 * Who the customer is, as far as this page may say it: the visitor token that the desk gave, and the site's own login
 * token, which is held in memory only. Neither is ever put into an address.
 *
 * The site may say something new at any time, also while it is being asked for a fresh token: what it said last counts.
 */

import { Emitter } from "./emitter.js";

const ANSWER_SECONDS = 15; // a site that does not answer must not hold up what was written

/**
 * Emits `turned` when it is another's turn to write; its detail is true for a stranger (one account after another), who
 * gets to see nothing of before, and false for a visitor who has logged in, who is the same person.
 */
export class Identity extends Emitter {
  constructor(keep) {
    super();
    this.keep = keep;
    this.token = keep.get("token");
    this.told = null; // the token of the last hello
    this.jwt = null;
    this.ask = null; // the site's onTokenExpiring
    this.stale = false; // the desk no longer takes our jwt
    this.lapsed = null; // who sat here when the login lapsed: the same person goes on, as a visitor to the desk
  }

  /** Whose drafts and unsent messages are on this device: nobody else gets to see or send them. */
  get who() {
    return named(this.jwt) ?? this.lapsed ?? "visitor";
  }

  /** The site says who is logged in; null: nobody any more, and who sits here goes on as a visitor. True: it is news. */
  login(jwt) {
    const said = typeof jwt === "string" && jwt ? jwt : null;
    if (said === this.jwt) return false; // said again at each of a site's navigations
    this.#hold(said);
    return true;
  }

  /** What goes into the hello. Asks the site for a fresh token when ours is no longer taken. */
  async credentials() {
    if (this.stale) {
      const { jwt } = this;
      const fresh = await this.fresh();
      if (this.stale && this.jwt === jwt) this.#hold(fresh);
    }
    this.token ??= this.keep.get("token"); // another tab may have been given one
    this.told = this.token;
    return { token: this.token, jwt: this.jwt };
  }

  /** Ask the site for a fresh token; null when it has none. The one that we have is not fresh. */
  async fresh() {
    const late = new Promise((resolve) => setTimeout(resolve, ANSWER_SECONDS * 1000, null));
    try {
      const token = await Promise.race([this.ask?.(), late]);
      return typeof token === "string" && token && token !== this.jwt ? token : null;
    } catch {
      return null; // the site's own fault, in its own code: the customer is then a visitor
    }
  }

  /** Keep the token that the desk gave. False when another tab was given one first: then that one counts. */
  accept(token) {
    if (!token) return true;
    const kept = this.keep.get("token");
    this.token = kept && kept !== this.told ? kept : token;
    this.keep.set("token", this.token);
    return this.token === token;
  }

  forget() {
    this.token = null;
    this.jwt = null;
    this.stale = false;
    this.lapsed = null;
    this.keep.remove("token");
  }

  #hold(jwt) {
    const before = this.who;
    if (before !== "visitor") this.lapsed = before;
    this.jwt = jwt;
    this.stale = false;
    if (this.who === before) return;
    const stranger = before !== "visitor";
    if (stranger) {
      this.lapsed = null;
      this.token = null; // the visitor that the one before was is not the next one's
      this.keep.remove("token");
    }
    this.emit("turned", stranger);
  }
}

/** The account that a JWT names, unchecked: it only keeps one person's drafts apart from another's on this device. */
function named(jwt) {
  if (!jwt) return null;
  try {
    const payload = jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes));
    return sub ? `account/${sub}` : null;
  } catch {
    return null; // no desk takes it, so nobody is logged in by it
  }
}
