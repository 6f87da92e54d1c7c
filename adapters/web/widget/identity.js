/*
 * Who the customer is, as far as this page may say it: the visitor token that the desk gave, and the site's own login
 * token, which is held in memory only. Neither is ever put into an address.
 */

export class Identity {
  constructor(keep) {
    this.keep = keep;
    this.token = keep.get("token");
    this.jwt = null;
    this.ask = null; // the site's onTokenExpiring
    this.stale = false; // the desk no longer takes our jwt
    this.lapsed = null; // who sat here when the login lapsed: the same person goes on, as a visitor to the desk
  }

  /** Whose drafts and unsent messages are on this device: nobody else gets to see or send them. */
  get who() {
    return this.jwt ? `account/${subject(this.jwt)}` : (this.lapsed ?? "visitor");
  }

  /** What goes into the hello. Asks the site for a fresh token when ours is no longer taken. */
  async credentials() {
    if (this.stale) {
      const { who } = this;
      this.jwt = await this.fresh();
      this.lapsed = who;
    }
    this.stale = false;
    return { token: this.token, jwt: this.jwt };
  }

  /** Ask the site for a fresh token; null when it has none. The one that we have is not fresh. */
  async fresh() {
    try {
      const token = await this.ask?.();
      return typeof token === "string" && token !== this.jwt ? token : null;
    } catch {
      return null; // the site's own fault, in its own code: the customer is then a visitor
    }
  }

  accept(token) {
    if (!token) return;
    this.token = token;
    this.keep.set("token", token);
  }

  forget() {
    this.token = null;
    this.jwt = null;
    this.stale = false;
    this.lapsed = null;
    this.keep.remove("token");
  }
}

/** The `sub` of a JWT, unchecked: it only keeps one person's drafts apart from another's on the same device. */
function subject(jwt) {
  try {
    const payload = jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)).sub ?? "";
  } catch {
    return "";
  }
}
