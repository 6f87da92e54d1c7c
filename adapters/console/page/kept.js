// What this browser keeps for an operator: drafts, messages that are not sent yet, and how far they have read.
// All of it is under the operator's id, and goes when they sign out.

const LONGEST_MEMORY = 500; // read marks

export class Kept {
  constructor(operator) {
    this.prefix = `kakehashi.desk.${operator}.`;
  }

  draft(session, kind) {
    return this.read(`draft.${session}.${kind}`) ?? { text: "", files: [] };
  }

  setDraft(session, kind, draft) {
    const empty = !draft.text && !draft.files.length;
    this.write(`draft.${session}.${kind}`, empty ? null : draft);
  }

  /** Messages that are not sent yet, oldest first. One entry each, so that two tabs do not undo one another. */
  unsent() {
    const names = Object.keys(localStorage).filter((key) => key.startsWith(`${this.prefix}unsent.`));
    const messages = names.map((key) => this.read(key.slice(this.prefix.length)));
    return messages.filter((message) => message !== null).sort((one, other) => one.at - other.at);
  }

  keepUnsent(message) {
    this.write(`unsent.${message.id}`, message);
  }

  dropUnsent(id) {
    this.write(`unsent.${id}`, null);
  }

  readUpTo(session) {
    return (this.read("read") ?? {})[session] ?? null;
  }

  setReadUpTo(session, at) {
    const { [session]: _, ...others } = this.read("read") ?? {};
    const newest = Object.entries(others).slice(-LONGEST_MEMORY);
    this.write("read", { ...Object.fromEntries(newest), [session]: at });
  }

  forget() {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(this.prefix)) localStorage.removeItem(key);
    }
  }

  read(name) {
    try {
      return JSON.parse(localStorage.getItem(this.prefix + name));
    } catch {
      return null;
    }
  }

  write(name, value) {
    try {
      if (value === null) localStorage.removeItem(this.prefix + name);
      else localStorage.setItem(this.prefix + name, JSON.stringify(value));
    } catch {
      // The browser's storage is full or switched off: the page works on, without a memory.
    }
  }
}
