/*
 * What somebody is writing, by who writes it. Each tab has its own text and keeps it over a reload; the newest of all
 * tabs is kept beside it, for a tab (or an app's web view) that has none yet.
 */
export class Drafts {
  /** `keep` is the device's, `tab` this tab's. */
  constructor(keep, tab) {
    this.keep = keep;
    this.tab = tab;
  }

  /** What this person is writing here; empty when it is nothing. */
  read(who) {
    return this.tab.get(`draft/${who}`) ?? this.keep.get(`draft/${who}`) ?? "";
  }

  /** Empty: it was sent, or deleted. What another tab's text is by now stays. */
  write(who, text) {
    const key = `draft/${who}`;
    const before = this.read(who);
    this.tab.set(key, text);
    if (text) this.keep.set(key, text);
    else if (this.keep.get(key) === before) this.keep.remove(key);
  }

  /** A visitor has logged in and goes on writing, after what the account had left. */
  inherit(who) {
    const [left, written] = [this.read(who), this.read("visitor")];
    this.write("visitor", "");
    this.tab.remove("draft/visitor");
    if (!written) return;
    this.write(who, left && left !== written ? `${left}\n${written}` : written);
  }
}
