/*
 * What this device keeps: the visitor's token, drafts, and messages that were not sent yet. Never the history, never a
 * site's login token. Each thing has its own key, so two tabs of one customer do not overwrite one another.
 */

/** The mark of one person's stay at this device, which ends with a logout; every tab of theirs knows it. */
export const STAY = "stay";

/**
 * Values under `kakehashi/<site>/…`. What the storage does not take, because the browser forbids it or the site has
 * used it up, lasts as long as the page, and is stored as soon as there is room.
 */
export class Keep {
  constructor(site, area) {
    this.prefix = `kakehashi/${site}/`;
    this.area = usable(area) ?? new Memory();
    this.homeless = new Map(); // what did not fit
  }

  /** The value under `key`, or null when there is none or it is not ours. */
  get(key) {
    try {
      return JSON.parse(this.homeless.get(key) ?? this.area.getItem(this.prefix + key));
    } catch {
      return null;
    }
  }

  set(key, value) {
    const text = JSON.stringify(value);
    if (this.#put(key, text)) this.homeless.delete(key);
    else this.homeless.set(key, text);
  }

  remove(key) {
    this.homeless.delete(key);
    this.area.removeItem(this.prefix + key);
    for (const [each, text] of this.homeless) if (this.#put(each, text)) this.homeless.delete(each);
  }

  /** Our keys that begin with `start`, sorted. */
  keys(start = "") {
    const all = Array.from({ length: this.area.length }, (_, index) => this.area.key(index));
    const mine = all.filter((key) => key.startsWith(this.prefix)).map((key) => key.slice(this.prefix.length));
    return [...new Set([...mine, ...this.homeless.keys()])].filter((key) => key.startsWith(start)).sort();
  }

  clear() {
    this.homeless.clear();
    for (const key of this.keys()) this.remove(key);
  }

  #put(key, text) {
    try {
      this.area.setItem(this.prefix + key, text);
      return true;
    } catch {
      return false;
    }
  }
}

/** The browser's storage, which may be full; null where it is forbidden, or there is none. */
function usable(area) {
  try {
    const storage = window[area];
    return storage.length >= 0 ? storage : null;
  } catch {
    return null;
  }
}

class Memory {
  constructor() {
    this.entries = new Map();
  }

  get length() {
    return this.entries.size;
  }

  key(index) {
    return [...this.entries.keys()][index];
  }

  getItem(key) {
    return this.entries.get(key) ?? null;
  }

  setItem(key, value) {
    this.entries.set(key, value);
  }

  removeItem(key) {
    this.entries.delete(key);
  }
}

/** Files chosen for a message that is not sent yet (IndexedDB, since they are too large for text). */
export class Shelf {
  constructor(site) {
    this.name = `kakehashi/${site}`;
    this.opening = null;
  }

  /**
   * Everything on the shelf: `{key, who, blob, name, type, upload, file, message}`, where `message` is the unsent
   * message that it was written in; empty where IndexedDB is forbidden.
   */
  async all() {
    return (await this.#ask("readonly", (files) => files.getAll())) ?? [];
  }

  async put(item) {
    await this.#ask("readwrite", (files) => files.put(item));
  }

  async remove(key) {
    await this.#ask("readwrite", (files) => files.delete(key));
  }

  async clear() {
    await this.#ask("readwrite", (files) => files.clear());
  }

  /** Twice, since a database that another tab has deleted, or the browser closed, opens anew. */
  async #ask(mode, question) {
    return (await this.#answer(mode, question)) ?? (await this.#answer(mode, question));
  }

  async #answer(mode, question) {
    try {
      this.opening ??= opened(this.name);
      const database = await this.opening;
      return (await answer(question(database.transaction("files", mode).objectStore("files")))) ?? true;
    } catch {
      this.opening = null; // private windows, full disks: the file then lasts as long as the page
      return null;
    }
  }
}

function opened(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore("files", { keyPath: "key" });
  return answer(request).then((database) => {
    database.onversionchange = () => database.close();
    return database;
  });
}

function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
