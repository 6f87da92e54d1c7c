/* The widget, put together: words, theme, chat and panel in the loader's shadow root, and what window.Kakehashi does. */

import { Attention } from "./attention.js";
import { Chat } from "./chat.js";
import { Drafts } from "./drafts.js";
import { LANGUAGES, fitting, loadWords } from "./i18n.js";
import { Panel } from "./panel.js";
import { Keep, Shelf } from "./storage.js";
import { Theme } from "./theme.js";

/** Called by the loader once; gives what its queued calls are made on. */
export async function start(loader) {
  const app = new App(loader);
  await app.ready();
  return app;
}

class App {
  constructor({ host, root, launcher, data, site, base, asked }) {
    Object.assign(this, { host, root, launcher, data, asked });
    this.page = data.mode === "page";
    this.left = data.position === "left";
    this.keep = new Keep(site, "localStorage");
    this.tab = new Keep(site, "sessionStorage");
    this.drafts = new Drafts(this.keep, this.tab);
    this.attention = new Attention(launcher, this.keep);
    this.theme = new Theme(host, launcher, data.theme);
    this.listeners = [];
    this.chat = new Chat({ base, keep: this.keep, shelf: new Shelf(site), locale: this.language });
    this.speak = (language) => this.#speak(language);
    this.visible = false;
  }

  /** The reader's own choice, while the site asks for the same as when it was made; else what the site asks for. */
  get language() {
    const chosen = this.keep.get("language");
    return chosen && chosen.asked === this.asked() ? chosen.language : fitting(this.asked());
  }

  get name() {
    return this.data.brand || this.chat.house.brand.name || this.words.text("brand");
  }

  async ready() {
    const [words, sheet] = await Promise.all([loadWords(this.language), styleSheet()]);
    this.words = words;
    this.root.adoptedStyleSheets = [...this.root.adoptedStyleSheets, sheet];
    this.#brand();
    this.#build();
    this.#wire();
    setTimeout(() => this.chat.begin()); // after the calls that the loader has kept for us
    if (this.data.topic) this.chat.topic = this.data.topic;
    if (this.page || this.tab.get("open")) this.#reopen();
  }

  // window.Kakehashi

  open({ topic } = {}) {
    if (!this.visible) this.returnTo = deepest();
    this.#reveal(true);
    const { conversation, outbox, unread } = this.chat;
    if (topic && !conversation.open) this.panel.write(topic);
    else if (unread > 0 || outbox.messages.length > 0 || topic) this.panel.write();
    this.panel.focus();
  }

  close() {
    if (this.page || !this.visible) return;
    this.#reveal(false);
    const back = this.returnTo?.isConnected && this.returnTo !== document.body ? this.returnTo : this.launcher;
    back.focus();
  }

  identify(token) {
    this.chat.identify(token);
  }

  onTokenExpiring(listener) {
    this.chat.identity.ask = listener;
  }

  onUnread(listener) {
    this.listeners.push(listener);
    listener(this.chat.unread);
  }

  logout(token) {
    return this.chat.logout(token);
  }

  /** The page may have changed under us: another language, another body. */
  follow() {
    if (this.language !== this.words.language) this.#change(this.language);
  }

  /** The panel shows another view; after a reload it shows that one again. */
  turned(view) {
    if (this.visible) this.tab.set("open", view);
  }

  #wire() {
    const { chat } = this;
    let drawing = false;
    chat.on("changed", () => {
      if (drawing) return;
      drawing = true;
      queueMicrotask(() => {
        drawing = false;
        this.panel.render();
      });
    });
    chat.on("welcomed", () => this.#brand());
    chat.on("unread", (count) => this.#unread(count));
    chat.on("arrived", (item) => {
      this.panel.arrived(item);
      this.attention.arrived();
    });
    chat.on("notice", (event) => this.#noticed(event));
    chat.on("translated", (item) => this.panel.translated(item));
    chat.on("moved", (place) => this.panel.moved(place));
    chat.on("obsolete", () => this.panel.obsolete());
    chat.on("turned", (stranger) => this.panel.turn(stranger));
    chat.on("taken", (message) => this.panel.composer.taken(message));
    chat.on("erased", (token) => this.#erased(token));
    document.addEventListener("visibilitychange", () => this.panel.seen());
    addEventListener("storage", (event) => this.#elsewhere(event));
    addEventListener("pageshow", (event) => event.persisted && this.#back());
  }

  /** Who goes on in another language reads on in it, too. */
  #noticed(event) {
    this.panel.notice(event);
    if (event.key === "language_changed" && event.language in LANGUAGES) this.#speak(event.language);
  }

  /** Another tab has changed what the device keeps. */
  #elsewhere({ storageArea, key, oldValue, newValue }) {
    if (storageArea !== this.keep.area) return;
    const { prefix } = this.keep;
    if (key === null) this.panel.composer.keepAgain();
    if (key === null) this.chat.keepAgain();
    else if (key.startsWith(prefix)) this.chat.elsewhere(key.slice(prefix.length), parsed(newValue), oldValue === null);
  }

  /** Back from the browser's cache: what was sent or logged out meanwhile, on the page after this one, is so here. */
  #back() {
    this.chat.wake();
    this.panel.composer.restore();
  }

  #build(before) {
    this.panel = new Panel(this, before);
    this.root.append(this.panel.element);
    this.panel.reveal(this.visible);
    this.host.lang = this.words.language;
    this.#unread(this.chat.unread);
  }

  #reopen() {
    const view = this.tab.get("open");
    this.#reveal(true);
    if (this.data.topic) this.panel.ask(this.data.topic, true);
    if (view === "talk" || this.data.topic) this.panel.show("talk");
  }

  #reveal(visible) {
    this.visible = visible;
    this.launcher.classList.toggle("away", visible);
    this.launcher.setAttribute("aria-expanded", String(visible));
    this.panel.reveal(visible);
    if (visible) this.tab.set("open", this.panel.view);
    else this.tab.remove("open");
    if (visible) this.chat.open();
  }

  #brand() {
    this.theme.apply(this.data.color ? null : this.chat.house.brand.colour);
  }

  #unread(count) {
    const label = count > 0 ? this.words.text("launcher.unread", { count }) : this.words.text("launcher.open");
    this.attention.show(count, label);
    for (const listener of this.listeners) listener(count);
  }

  #erased(token) {
    this.tab.clear();
    this.panel.leave(token);
    if (this.page) setTimeout(() => this.chat.open()); // the next one's, once this one has gone
    else this.#reveal(false);
  }

  #speak(language) {
    this.keep.set("language", { language, asked: this.asked() });
    this.#change(language);
  }

  /** Draw everything anew in another language. What is being written goes on, and so do files on their way. */
  async #change(language) {
    this.wanted = language;
    const words = await loadWords(language).catch(() => null);
    if (!words || this.wanted !== language) return;
    this.words = words;
    const before = this.panel;
    this.#build(before);
    before.dispose();
    this.panel.show(before.view);
    if (this.visible) this.panel.focus();
    this.chat.speak(language);
  }
}

/** What a storage event says of a value; null for none, and for one that is not ours. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Fetched as text and adopted: it survives the host's being moved about, and no policy on inline style can object. */
async function styleSheet() {
  const response = await fetch(new URL("style.css", import.meta.url));
  if (!response.ok) throw new Error(`no style sheet: ${response.status}`);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(await response.text());
  return sheet;
}

/** What has the focus, looked for inside open shadow roots. */
function deepest() {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  return active;
}
