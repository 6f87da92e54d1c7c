/*
 * The sheet: header, the view in force, what lies over it. On a phone it is the whole screen and follows the on-screen
 * keyboard; elsewhere it stands at the corner and leaves the page alone.
 */

import { Announcer } from "./announce.js";
import { emergencyStep } from "./cards.js";
import { Composer } from "./composer.js";
import { attribute, el, iconButton, say } from "./dom.js";
import { Home } from "./home.js";
import { LANGUAGES, languageOf } from "./i18n.js";
import { Overlay, confirm, keepFocus, openMenu } from "./menu.js";
import { Messages, noticeText, plain } from "./messages.js";
import { opensText, placeText, serviceText } from "./news.js";

const WHOLE_SCREEN = "(max-width: 480px), (max-height: 480px)";
const SIZES = [1, 1.15, 1.3];
const TOAST_MS = 2400;
const PLACE_SAID_MS = 20_000;
const CALM_MS = 900; // a line that is back sooner was never worth a word

export class Panel {
  /**
   * `app` gives words, chat, keep, drafts, attention, name, page (the whole page is ours), close() and speak(language).
   * `before` is the panel whose place it takes, in another language.
   */
  constructor(app, before) {
    this.app = app;
    this.view = "home";
    this.asked = null; // the topic that was chosen, until it is known whether it is an emergency
    this.guarded = false; // it is: the site's own way out comes before the form
    this.placeSaid = 0;
    this.whole = matchMedia(WHOLE_SCREEN);
    this.#build(before);
    this.#size(app.keep.get("size") ?? 0);
    this.show("home");
  }

  get visible() {
    return !this.element.hidden;
  }

  /** Turn to a view: home or talk. */
  show(view) {
    this.view = view;
    this.home.element.hidden = view !== "home";
    this.talk.hidden = view !== "talk";
    this.app.turned(view);
    this.render();
    if (view === "talk") this.messages.toEnd();
  }

  /** Go and write: about a topic, or on in the conversation there is. A closed one is then followed by a new one. */
  write(topic) {
    const { chat } = this.app;
    if (topic) {
      chat.topic = topic;
      chat.anew = !chat.conversation.open;
    }
    if (topic) this.ask(topic);
    this.show("talk");
    this.focus();
  }

  /** Focus where one would go on: the text, or the panel itself where a focus would call up a keyboard. */
  focus() {
    if (this.view === "talk" && this.guarded) (this.step.querySelector("a, button") ?? this.element).focus();
    else if (this.view === "talk" && !this.composer.touch.matches && !this.app.chat.over) this.composer.focus();
    else this.element.focus();
  }

  render() {
    this.#guard();
    this.#header();
    this.#bar();
    if (this.view === "home") this.home.render();
    else {
      this.messages.render();
      this.composer.render();
    }
    this.composer.element.hidden = this.app.chat.over;
    this.talk.classList.toggle("guarded", this.guarded);
    this.seen();
  }

  /** What is on the screen has been seen. */
  seen() {
    if (this.visible && this.view === "talk" && !document.hidden && this.messages.following) this.app.chat.saw();
  }

  arrived(item) {
    const { words } = this.app;
    const name = item.name ?? words.text("message.us");
    this.announcer.say(
      words.text("announce.message", { name, text: plain(item) }),
      languageOf(plain(item), words.language),
    );
    this.messages.arrived();
  }

  notice(event) {
    if (this.app.words.has(`notice.${event.key}`)) this.announcer.say(noticeText(this.app.words, event));
  }

  /** A machine's translation of what was announced in its own language before. */
  translated({ translation, name }) {
    const { words } = this.app;
    const text = `${plain(translation)} (${words.text("translation.by")})`;
    this.announcer.say(words.text("announce.message", { name: name ?? words.text("message.us"), text }), translation.language);
  }

  /** The place in the line is another; said now and then, since it may fall fast. */
  moved(place) {
    if (!place || Date.now() - this.placeSaid < PLACE_SAID_MS) return;
    this.placeSaid = Date.now();
    this.announcer.say(placeText(this.app.words, place));
  }

  toast(text) {
    clearTimeout(this.toastTimer);
    say(this.toaster, text);
    this.toaster.classList.add("up");
    this.announcer.say(text);
    this.toastTimer = setTimeout(() => this.toaster.classList.remove("up"), TOAST_MS);
  }

  /** Show or hide; the animation is the style sheet's. */
  reveal(visible) {
    this.element.hidden = !visible;
    this.#fit();
    if (!visible) return;
    this.render();
    this.messages.toEnd(); // a list that was hidden has forgotten where it was
  }

  /** Logged out. `token`: the one with which files were uploaded. */
  leave(token) {
    this.composer.clear(token);
    this.#wipe();
    this.show("home");
  }

  /** Another's turn to write. A stranger finds nothing of what was said. */
  turn(stranger) {
    this.composer.turn(stranger);
    if (stranger) this.#wipe();
  }

  #wipe() {
    this.overlay.close();
    this.messages.render();
    this.home.render();
    this.announcer.clear();
  }

  /** Another panel has taken its place. */
  dispose() {
    this.gone.abort();
    this.messages.dispose();
    this.element.remove();
  }

  #build(before) {
    const { app } = this;
    const { words, chat, drafts } = app;
    this.overlay = new Overlay(el("div", { class: "over" }));
    this.announcer = new Announcer(words.text("announce.label"));
    this.toaster = el("div", { class: "toast", "aria-hidden": "true" });
    this.home = new Home({
      words,
      chat,
      choose: (topic) => this.write(topic),
      resume: () => this.write(),
      turned: () => this.render(),
    });
    const copy = (text) => this.#copy(text);
    this.messages = new Messages({
      words,
      chat,
      overlay: this.overlay,
      copy,
      edit: (entry) => this.#edit(entry),
      revise: (item) => this.composer.revise(item),
      fresh: () => this.#goHome(),
    });
    this.messages.onscroll = () => this.seen();
    const sent = () => this.show("talk");
    this.composer = new Composer({ words, chat, drafts, sent, before: before?.composer });
    this.step = el("div", { class: "guard" });
    this.talk = el("div", { class: "view talk-view" }, this.step, this.messages.element, this.composer.element);
    this.bar = el("div", { class: "bar-line", role: "status" });
    this.element = el(
      "section",
      {
        class: app.page ? "panel page" : app.left ? "panel at-left" : "panel",
        role: "dialog",
        tabindex: "-1",
        hidden: true,
        on: this.#listeners(),
      },
      this.#head(),
      el("div", { class: "views" }, this.home.element, this.talk, this.bar),
      this.overlay.ground,
      this.toaster,
      this.announcer.element,
    );
    this.home.element.classList.add("view");
    const { signal } = (this.gone = new AbortController());
    for (const type of ["resize", "scroll"]) visualViewport?.addEventListener(type, () => this.#fit(), { signal });
    this.whole.addEventListener("change", () => this.#fit(), { signal });
  }

  #head() {
    const { words, page } = this.app;
    this.back = iconButton("back", words.text("back"), () => this.#goHome());
    this.face = el("span", { class: "face", "aria-hidden": "true" });
    this.title = el("h1", {});
    this.subtitle = el("p", {});
    const language = iconButton("globe", words.text("language"), () => this.#languages(language), menuButton());
    this.more = iconButton("more", words.text("menu"), () => this.#menu(), menuButton());
    const close = iconButton("close", words.text("close"), () => this.app.close());
    close.hidden = page;
    return el(
      "header",
      {},
      this.back,
      this.face,
      el("div", { class: "titles" }, this.title, this.subtitle),
      language,
      this.more,
      close,
    );
  }

  #listeners() {
    return {
      keydown: (event) => this.#key(event),
      dragover: (event) => this.#drag(event, true),
      dragleave: (event) => this.#drag(event, false),
      drop: (event) => this.#drop(event),
    };
  }

  #key(event) {
    if (event.key === "Escape" && !event.isComposing && event.keyCode !== 229) {
      event.stopPropagation();
      if (!this.overlay.close() && !this.app.page) this.app.close();
    } else if (this.whole.matches && !this.overlay.open) {
      keepFocus(
        event,
        [...this.element.querySelectorAll("button, a[href], textarea, [tabindex='0']")].filter(reachable),
      );
    }
    if (event.key !== "Escape") event.stopPropagation(); // the site's shortcuts are not meant here
  }

  #header() {
    const { chat, words, name } = this.app;
    const { agent, session } = chat.conversation;
    const talking = this.view === "talk" && agent;
    attribute(this.element, "aria-label", words.text("panel.label", { name }));
    say(this.title, talking ? agent.name : name);
    say(this.subtitle, talking ? words.text("header.agent", { name }) : this.#subtitle(session));
    this.subtitle.hidden = !this.subtitle.textContent;
    this.face.hidden = !talking;
    say(this.face, talking ? agent.initials : "");
    this.back.hidden = this.view === "home" && !this.home.within;
    this.more.hidden = this.view !== "talk" || this.guarded;
  }

  #subtitle(session) {
    const { chat, words } = this.app;
    if (this.view === "talk" && session?.state === "queued")
      return session.opens ? opensText(words, session.opens) : words.text("header.queued");
    if (this.view === "talk" && session?.state === "closed") return words.text("header.closed");
    return chat.online ? serviceText(words, chat.news.service) : "";
  }

  /** Says that the line is down only when it stays down. */
  #bar() {
    const { chat, words } = this.app;
    const down = !chat.online && chat.troubled;
    if (!down) {
      clearTimeout(this.barTimer);
      this.barTimer = 0;
      if (this.bar.dataset.obsolete) return;
      this.bar.classList.remove("up");
      say(this.bar, "");
    } else if (!this.barTimer) {
      this.barTimer = setTimeout(() => {
        this.bar.classList.add("up");
        say(this.bar, words.text("bar.offline"));
      }, CALM_MS);
    }
  }

  /** The desk speaks a newer protocol than this page. */
  obsolete() {
    this.bar.dataset.obsolete = "true";
    this.bar.classList.add("up");
    const reload = el(
      "button",
      { type: "button", class: "link", on: { click: () => location.reload() } },
      this.app.words.text("bar.reload"),
    );
    this.bar.replaceChildren(this.app.words.text("bar.obsolete"), " ", reload);
  }

  /** Somebody chose a topic (`page`: the page's address did): if it is an emergency, the site's own way out comes first. */
  ask(topic, page = false) {
    this.asked = { topic, page };
    this.#guard();
  }

  /** Until the desk has said what the topic is, no form is shown; unless it cannot be reached. */
  #guard() {
    const { asked, guarded: waited } = this;
    const { chat } = this.app;
    if (!asked) return;
    this.guarded = !chat.news.service && !chat.troubled;
    if (this.guarded) return;
    this.asked = null;
    const step = asked.page && chat.conversation.open ? null : this.#wayOut(asked.topic);
    this.guarded = step !== null;
    this.step.replaceChildren(...(step ? [step] : []));
    if (waited && this.visible) queueMicrotask(() => this.focus()); // once what it leads to is there
  }

  #wayOut(topic) {
    const { chat, words } = this.app;
    if (!chat.news.emergency(topic)) return null;
    const called = words.topic(topic, chat.house.titles) || topic;
    return emergencyStep(words, chat.house.emergency ?? [], called, () => this.#goOn());
  }

  #goOn() {
    this.guarded = false;
    this.render();
    this.focus();
  }

  #goHome() {
    this.guarded = false;
    this.asked = null;
    if (this.view === "home") this.home.leave();
    this.show("home");
    this.element.focus();
  }

  #edit(entry) {
    const { chat } = this.app;
    chat.anew = !chat.conversation.open;
    const { text, items } = chat.takeBack(entry);
    this.composer.edit(text, items);
  }

  async #copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.toast(this.app.words.text("copied"));
    } catch {
      this.toast(this.app.words.text("copy_failed"));
    }
  }

  #languages(button) {
    const { words, speak } = this.app;
    const item = ([tag, label]) => ({ label, lang: tag, checked: tag === words.language, choose: () => speak(tag) });
    openMenu(this.overlay, button, words.text("language"), [Object.entries(LANGUAGES).map(item)]);
  }

  #menu() {
    const { app } = this;
    const { words, chat, attention } = app;
    const { session, open } = chat.conversation;
    const size = app.keep.get("size") ?? 0;
    const first = [{ icon: "copy", label: words.text("menu.copy"), choose: () => this.#copy(this.#transcript()) }];
    if (session)
      first.push({
        icon: "hash",
        label: words.text("menu.code"),
        hint: session.code,
        choose: () => this.#copy(session.code),
      });
    const second = [
      {
        icon: "text",
        label: words.text("menu.size"),
        hint: words.text(`menu.size.${size}`),
        choose: () => this.#size((size + 1) % SIZES.length),
      },
      {
        icon: "bell",
        label: words.text("menu.sound"),
        hint: words.text(attention.sound ? "on" : "off"),
        choose: () => (attention.sound = !attention.sound),
      },
    ];
    const last = open
      ? [[{ icon: "end", label: words.text("menu.end"), danger: true, choose: () => this.#askEnd() }]]
      : [];
    openMenu(this.overlay, this.more, words.text("menu"), [first, second, ...last]);
  }

  #askEnd() {
    const { words, chat } = this.app;
    confirm(this.overlay, this.more, {
      title: words.text("end.title"),
      text: words.text("end.text"),
      yes: words.text("end.yes"),
      no: words.text("end.no"),
      act: () => chat.end(),
    });
  }

  #transcript() {
    const { words, chat } = this.app;
    const line = (item) => {
      if (item.kind === "notice") return `${words.moment(item.at)}  ${noticeText(words, item)}`;
      const author = item.from === "you" ? words.text("message.you") : (item.name ?? words.text("message.us"));
      return `${words.moment(item.at)}  ${author}: ${plain(item)}`;
    };
    const known = chat.conversation.items.filter((item) => item.kind === "message" || words.has(`notice.${item.key}`));
    return known.map(line).join("\n");
  }

  #size(index) {
    this.app.keep.set("size", index);
    this.element.style.setProperty("--k-scale", SIZES[index] ?? 1);
    this.composer.render();
  }

  #drag(event, over) {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    const outside = !over && !this.element.contains(event.relatedTarget);
    this.element.classList.toggle("dropping", over && !outside);
  }

  #drop(event) {
    this.element.classList.remove("dropping");
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    if (this.view !== "talk") this.show("talk");
    this.composer.add(files);
  }

  /** On a phone: exactly what the keyboard leaves, and the page behind stands still. */
  #fit() {
    const whole = this.visible && this.whole.matches && !this.app.page;
    this.element.setAttribute("aria-modal", String(whole));
    document.documentElement.style.overflow = whole ? "hidden" : "";
    if (!visualViewport) return;
    this.element.style.setProperty("--k-height", `${visualViewport.height}px`);
    this.element.style.setProperty("--k-top", `${visualViewport.offsetTop}px`);
  }
}

function menuButton() {
  return { "aria-haspopup": "menu", "aria-expanded": "false" };
}

function reachable(element) {
  return element.tabIndex >= 0 && !element.hidden && element.getClientRects().length > 0;
}
