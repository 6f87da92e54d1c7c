/*
 * What this device keeps: the visitor's token, drafts, and messages that were not sent yet. Never the history, never a
 * site's login token. Each thing has its own key, so two tabs of one customer do not overwrite one another.
 */

/** Text under `kakehashi/<site>/…`. Where storage is forbidden, it lasts as long as the page. */
export class Keep {
  constructor(site, area) {
    this.prefix = `kakehashi/${site}/`;
    this.area = usable(area) ?? new Memory();
  }

  /** The value under `key`, or null when there is none or it is not ours. */
  get(key) {
    try {
      return JSON.parse(this.area.getItem(this.prefix + key));
    } catch {
      return null;
    }
  }

  set(key, value) {
    try {
      this.area.setItem(this.prefix + key, JSON.stringify(value));
    } catch {
      // The quota is used up by the site: this page still holds it, only a reload would lose it.
    }
  }

  remove(key) {
    this.area.removeItem(this.prefix + key);
  }

  /** Our keys that begin with `start`, sorted. */
  keys(start = "") {
    const all = Array.from({ length: this.area.length }, (_, index) => this.area.key(index));
    const mine = all.filter((key) => key.startsWith(this.prefix + start));
    return mine.map((key) => key.slice(this.prefix.length)).sort();
  }

  clear() {
    for (const key of this.keys()) this.remove(key);
  }
}

function usable(area) {
  try {
    const storage = window[area];
    storage.setItem("kakehashi", "1");
    storage.removeItem("kakehashi");
    return storage;
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

  /** Everything on the shelf: `{key, who, blob, name, type, upload, file}`; empty where IndexedDB is forbidden. */
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

  async #ask(mode, question) {
    try {
      this.opening ??= opened(this.name);
      const database = await this.opening;
      return await answer(question(database.transaction("files", mode).objectStore("files")));
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
