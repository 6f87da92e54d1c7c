// The composer: two of them, one for the customer and one for colleagues, each with a text of its own.
//
// Nothing is ever carried from one to the other: they are different fields with different drafts, and send to
// different addresses. A note stands on amber from before its first letter.

import { newId } from "./api.js";
import { wording } from "./dialogs.js";
import { arrange, el, icon } from "./dom.js";
import { upload } from "./uploads.js";
import { t } from "./words.js";

const KINDS = ["reply", "note"];
const COUNT_FROM = 400; // characters left
const LINES = 6;
const TYPING_EVERY = 3_000;
const TAKEN = "image/png,image/jpeg,image/webp,image/gif,application/pdf";

export class Composer {
  /** `onSend(kind, parts, files)` takes a message; `onTyping(kind)` hears of keys, at most every three seconds. */
  constructor({ kept, limits, onSend, onTyping, onTemplates, onUndo }) {
    this.kept = kept;
    this.onTyping = onTyping;
    this.fields = Object.fromEntries(KINDS.map((kind) => [kind, new Field(kind, { limits, kept, onSend, onTemplates, onUndo, composer: this })]));
    this.tabs = Object.fromEntries(KINDS.map((kind) => [kind, this.tab(kind)]));
    this.closed = el("p", { class: "composer-closed", hidden: true }, t("composer.closed"));
    const tabs = el("div", { class: "tabs", role: "tablist", onkeydown: (event) => this.arrows(event) }, Object.values(this.tabs));
    this.node = el("section", { class: "composer" }, tabs, this.closed, KINDS.map((kind) => this.fields[kind].node));
    this.choose("reply");
  }

  tab(kind) {
    const attributes = { type: "button", role: "tab", id: `tab-${kind}`, "aria-controls": `panel-${kind}` };
    return el("button", { ...attributes, class: "tab", onclick: () => this.focus(kind) }, t(`composer.${kind}`));
  }

  arrows(event) {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    this.choose(this.kind === "reply" && !this.tabs.reply.disabled ? "note" : this.over ? "note" : "reply");
    this.tabs[this.kind].focus();
  }

  /** Another conversation: what was written is kept, and the reply is in front again. */
  open({ session, language, name }) {
    if (this.session !== session) {
      this.keep();
      this.session = session;
      for (const field of Object.values(this.fields)) field.load(session);
      this.choose("reply");
    }
    const reply = this.fields.reply.input;
    reply.lang = language;
    reply.placeholder = t("composer.reply_place", { name });
  }

  /** A closed conversation takes notes only. */
  setOver(over) {
    this.over = over;
    this.tabs.reply.disabled = over;
    this.closed.hidden = !over;
    this.choose(over ? "note" : this.kind);
  }

  choose(kind) {
    this.kind = kind;
    this.node.dataset.kind = kind;
    for (const one of KINDS) {
      this.tabs[one].setAttribute("aria-selected", String(one === kind));
      this.tabs[one].tabIndex = one === kind ? 0 : -1;
      this.fields[one].node.hidden = one !== kind;
    }
  }

  focus(kind) {
    if (kind === "reply" && this.over) return;
    this.choose(kind);
    this.fields[kind].input.focus();
    this.fields[kind].grow();
  }

  /** Put a message that was not sent back where it was written, before what is there now. */
  takeBack(message) {
    const field = this.fields[message.kind];
    const text = message.parts.filter((part) => part.type === "text").map((part) => part.text).join("\n");
    field.input.value = [text, field.input.value].filter(Boolean).join("\n");
    field.files = [...message.files.map((file) => ({ ...file, key: newId() })), ...field.files];
    field.changed();
    this.focus(message.kind);
  }

  keep() {
    for (const field of Object.values(this.fields)) field.keep();
  }

  typed(kind) {
    if (this.lastTyped && Date.now() - this.lastTyped < TYPING_EVERY) return;
    this.lastTyped = Date.now();
    this.onTyping(kind);
  }
}

class Field {
  constructor(kind, { limits, kept, onSend, onTemplates, onUndo, composer }) {
    Object.assign(this, { kind, limits, kept, onSend, onTemplates, onUndo, composer, files: [], session: null });
    this.input = el("textarea", {
      class: "composer-text",
      rows: "1",
      dir: "auto",
      "aria-label": t(`composer.${kind}_label`),
      placeholder: t(`composer.${kind}_place`, { name: "" }),
      oninput: () => {
        this.changed();
        if (this.input.value) composer.typed(kind);
      },
      onkeydown: (event) => this.pressed(event),
      onpaste: (event) => this.take(event, event.clipboardData),
    });
    this.counter = el("span", { class: "counter", role: "status" });
    this.problem = el("p", { class: "problem", role: "alert", hidden: true });
    this.tray = el("ul", { class: "tray", hidden: true });
    this.picker = el("input", { type: "file", accept: TAKEN, multiple: true, hidden: true, onchange: () => this.picked() });
    this.button = el(
      "button",
      { type: "button", class: `button ${kind === "note" ? "keep" : "primary"}`, onclick: () => this.send(), onpointerdown: hold },
      t(kind === "note" ? "composer.keep" : "composer.send"),
    );
    this.node = this.panel(kind);
  }

  panel(kind) {
    const attach = el(
      "button",
      { type: "button", class: "icon-button", "aria-label": t("composer.attach"), title: t("composer.attach"), onclick: () => this.picker.click() },
      icon("attach"),
    );
    const ready = kind === "reply" && el("button", { type: "button", class: "icon-button", "aria-label": t("composer.templates"), title: t("composer.templates"), onclick: () => this.onTemplates() }, icon("ready"));
    return el(
      "div",
      {
        class: `panel ${kind}`,
        id: `panel-${kind}`,
        role: "tabpanel",
        "aria-labelledby": `tab-${kind}`,
        ondragover: (event) => this.over(event),
        ondragleave: () => this.node.classList.remove("drop"),
        ondrop: (event) => this.take(event, event.dataTransfer),
      },
      kind === "note" && el("p", { class: "note-banner" }, t("composer.note_banner")),
      this.tray,
      this.input,
      this.problem,
      el("div", { class: "composer-foot" }, attach, ready, this.picker, this.counter, this.button),
    );
  }

  load(session) {
    this.session = session;
    const draft = this.kept.draft(session, this.kind);
    this.input.value = draft.text;
    this.files = draft.files.map((file) => ({ ...file, key: newId() }));
    this.say("");
    this.changed();
  }

  keep() {
    if (this.session === null) return;
    const files = this.files.filter((file) => file.id).map(({ id, name, type }) => ({ id, name, type }));
    this.kept.setDraft(this.session, this.kind, { text: this.input.value, files });
  }

  changed() {
    this.keep();
    const left = this.limits.text - count(this.input.value);
    this.counter.textContent = left < 0 ? t("composer.over", { count: -left }) : left <= COUNT_FROM ? t("composer.left", { count: left }) : "";
    this.counter.classList.toggle("over", left < 0);
    const uploading = this.files.some((file) => !file.id);
    this.button.disabled = left < 0 || uploading || !(this.input.value.trim() || this.files.length);
    this.drawTray();
    this.grow();
  }

  /** As high as its text, up to six lines. */
  grow() {
    if (!this.input.offsetParent) return;
    this.input.style.height = "auto";
    const style = getComputedStyle(this.input);
    const padding = parseFloat(style.paddingTop) + parseFloat(style.paddingBottom);
    const most = LINES * parseFloat(style.lineHeight) + padding;
    const frame = this.input.offsetHeight - this.input.clientHeight;
    this.input.style.height = `${Math.min(this.input.scrollHeight, most) + frame}px`;
  }

  /** Enter sends, unless it ends an input method's composition (229: Safari says so after the fact). */
  pressed(event) {
    // In a field with words it is those that are undone, by the browser.
    const undoes = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z" && !this.input.value;
    if (undoes && this.kind === "reply" && this.onUndo()) event.preventDefault();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    if (event.ctrlKey || event.metaKey || event.altKey || !matchMedia("(pointer: coarse)").matches) {
      event.preventDefault();
      this.send();
    }
  }

  send() {
    if (this.button.disabled) return;
    const text = this.input.value;
    const words = text.trim() ? [{ type: "text", text }] : [];
    const parts = [...words, ...this.files.map((file) => ({ type: "file", file: file.id }))];
    const files = this.files.map(({ id, name, type }) => ({ id, name, type }));
    this.input.value = "";
    this.files = [];
    this.say("");
    this.changed();
    this.onSend(this.kind, parts, files);
    this.input.focus();
  }

  // ---------------------------------------------------------------- attachments

  over(event) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    this.node.classList.add("drop");
  }

  take(event, data) {
    this.node.classList.remove("drop");
    const files = [...(data?.files ?? [])];
    // Words are pasted as the browser pastes them; a spreadsheet's come with a picture of themselves.
    if (!files.length || (event.type === "paste" && data.getData("text/plain"))) return;
    event.preventDefault();
    this.attach(files);
  }

  picked() {
    this.attach([...this.picker.files]);
    this.picker.value = "";
    this.input.focus();
  }

  attach(files) {
    this.say("");
    for (const file of files) {
      if (this.files.length >= this.limits.parts - 1) return this.say(t("composer.too_many_files", { count: this.limits.parts - 1 }));
      if (file.size > this.limits.file) this.say(t("composer.file_too_large", { name: file.name, size: megabytes(this.limits.file) }));
      else this.begin(file);
    }
  }

  async begin(file) {
    const preview = file.type.startsWith("image/") ? URL.createObjectURL(file) : null;
    const entry = { key: newId(), name: file.name, type: file.type, share: 0, preview, stop: new AbortController() };
    const session = this.session;
    this.files.push(entry);
    this.changed();
    try {
      const stored = await upload(file, (share) => this.progress(entry, share), entry.stop.signal);
      Object.assign(entry, { id: stored.id, name: stored.name, type: stored.type });
      if (!this.files.includes(entry)) this.keepFor(session, entry);
    } catch (error) {
      this.files = this.files.filter((one) => one !== entry);
      if (error.name !== "AbortError") this.say(`${t("composer.upload_failed", { name: file.name })} ${fileTrouble(error)}`);
    }
    this.changed();
  }

  /** The upload ended after the operator went on to another conversation: it belongs to the first one's draft. */
  keepFor(session, entry) {
    if (this.session === session) return void this.files.push(entry);
    const { id, name, type } = entry;
    const draft = this.kept.draft(session, this.kind);
    this.kept.setDraft(session, this.kind, { ...draft, files: [...draft.files, { id, name, type }] });
  }

  progress(entry, share) {
    entry.share = share;
    this.drawTray();
  }

  remove(entry) {
    entry.stop?.abort();
    if (entry.preview) URL.revokeObjectURL(entry.preview);
    this.files = this.files.filter((one) => one !== entry);
    this.changed();
    this.input.focus();
  }

  drawTray() {
    this.tray.hidden = !this.files.length;
    arrange(this.tray, this.files.map((entry) => this.drawn(entry)));
  }

  drawn(entry) {
    if (!entry.node) {
      entry.bar = el("progress", { max: "1", value: 0 });
      const name = t("composer.remove", { name: entry.name });
      entry.node = el(
        "li",
        { class: "tray-file" },
        entry.preview ? el("img", { src: entry.preview, alt: "" }) : icon("file"),
        el("span", { class: "tray-name", dir: "auto" }, entry.name),
        entry.bar,
        el("button", { type: "button", class: "icon-button small", "aria-label": name, title: name, onclick: () => this.remove(entry) }, icon("close")),
      );
    }
    entry.bar.hidden = Boolean(entry.id);
    entry.bar.value = entry.share ?? 1;
    entry.bar.setAttribute("aria-label", t("composer.uploading", { name: entry.name, percent: Math.round((entry.share ?? 1) * 100) }));
    return entry.node;
  }

  say(problem) {
    this.problem.textContent = problem;
    this.problem.hidden = !problem;
  }
}

/** Characters as the service counts them: code points. */
function count(text) {
  let points = 0;
  for (const _ of text) points += 1;
  return points;
}

/** Pressing Send keeps the focus in the field, and a phone's keyboard open. */
function hold(event) {
  event.preventDefault();
}

function fileTrouble(error) {
  return error.answer?.error?.what && error.status ? wording({ code: error.code }) : wording(error);
}

function megabytes(bytes) {
  return `${Math.round(bytes / 1024 / 1024)} MB`;
}
