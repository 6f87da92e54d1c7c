/*
 * Where the customer writes. Enter sends and Shift+Enter breaks the line, except on touch keyboards, where Enter breaks
 * it; an Enter that ends an input-method composition never sends. What is written is kept on the device until it is sent.
 */

import { revisingBar } from "./changes.js";
import { el, icon, iconButton, say } from "./dom.js";
import { looksLikeRecoveryPhrase } from "./recovery.js";
import { TYPES, Upload, preview } from "./uploads.js";

const COUNTED_FROM = 0.9; // of the limit
const LINES = 6;
const SAFARI_COMPOSING = 229; // Safari sends the Enter that ends a composition after compositionend, with this keyCode
const THUMB_PX = 64;
// What the protocol refuses. It cannot be typed, only pasted, so it is taken out where the customer sees the text.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

export class Composer {
  /** `before`: the composer whose place it takes, in another language; what is in that one goes on in this one. */
  constructor({ words, chat, drafts, sent, before }) {
    Object.assign(this, { words, chat, drafts, sent });
    this.uploads = [];
    this.revising = null; // the sent message whose words are being changed; the draft waits meanwhile
    this.pending = false; // Send was pressed while a file is still on its way
    this.emptied = 0; // so often; what was looked up before is looked up again
    this.gone = false; // another has taken its place
    this.touch = matchMedia("(hover: none) and (pointer: coarse)");
    this.#build();
    if (before) this.#takeOver(before);
    this.restore();
  }

  focus() {
    this.input.focus();
  }

  /** Bring back what this person was writing, files included. */
  async restore() {
    const { who } = this.chat.identity;
    const { emptied } = this;
    if (!this.revising) this.#show(this.drafts.read(who));
    const items = await this.chat.shelf.all();
    if (this.gone) return;
    if (this.emptied !== emptied || this.chat.identity.who !== who) return void this.restore();
    const mine = items.filter((item) => [who, "visitor"].includes(item.who) && item.blob instanceof Blob);
    for (const item of mine) this.#takeUp(item, who);
  }

  /** Another's turn to write: a stranger's, or that of the visitor who has logged in and goes on. */
  turn(stranger) {
    const { who } = this.chat.identity;
    this.revising = null;
    this.#showRevising();
    if (stranger) this.#putAside();
    else this.drafts.inherit(who);
    for (const upload of this.uploads) upload.belongTo(who);
    return this.restore();
  }

  /** Another tab has written this message. The same text and the same files are not to be sent from here as well. */
  taken({ who, parts, shelved }) {
    if (who !== this.chat.identity.who) return;
    if (shelved?.length) this.#remove((upload) => shelved.includes(upload.item.key));
    if (this.revising || !parts?.some((part) => part.text === this.input.value)) return;
    this.drafts.write(who, "");
    this.#show("");
  }

  /** The site has wiped its storage under us. */
  keepAgain() {
    if (this.input.value && !this.revising) this.drafts.write(this.chat.identity.who, this.input.value);
  }

  /** Change the words of a message that was sent. What was being written comes back when that is done, or given up. */
  revise(item) {
    this.revising = item;
    this.input.value = wordsOf(item);
    this.warning.hidden = true;
    this.say("");
    this.#changed();
    this.focus();
    this.input.setSelectionRange(this.input.value.length, this.input.value.length);
  }

  #stopRevising() {
    this.revising = null;
    this.input.value = this.drafts.read(this.chat.identity.who);
    this.warning.hidden = true;
    this.#changed();
    this.focus();
  }

  /** Take back what was not sent. `items`: its files, `{blob, name, file}`. */
  edit(text, items) {
    if (this.revising) this.#stopRevising();
    this.input.value = [this.input.value, text].filter(Boolean).join("\n");
    for (const { blob, name, file } of items) this.#take(Upload.of(this.chat, blob, name, file));
    this.#typed();
    const most = this.chat.limits.parts - 1;
    if (this.uploads.length > most) this.say(this.words.text("upload.too_many", { count: most }));
    this.focus();
  }

  /** Files that were chosen, dropped or pasted. */
  add(files) {
    this.say("");
    if (this.revising) return; // its files stay as they are
    for (const file of files) {
      if (this.uploads.length >= this.chat.limits.parts - 1) {
        this.say(this.words.text("upload.too_many", { count: this.chat.limits.parts - 1 }));
        break;
      }
      this.#take(Upload.of(this.chat, file, file.name || `image.${file.type.split("/")[1] ?? "png"}`));
    }
  }

  /** Nothing of it stays. `token`: the one with which its files were uploaded. */
  clear(token) {
    for (const upload of this.uploads) upload.cancel(token);
    this.#empty();
  }

  render() {
    this.#changed();
  }

  /** One line under the text; empty: none. */
  say(text) {
    say(this.problem, text);
    this.problem.hidden = !text;
  }

  #build() {
    const { words } = this;
    const mobile = this.touch.matches;
    this.input = el("textarea", {
      rows: "1",
      dir: "auto",
      "aria-label": words.text("composer.label"),
      placeholder: words.text("composer.placeholder"),
      enterkeyhint: mobile ? "enter" : "send",
      autocomplete: "off",
      on: { keydown: (event) => this.#key(event), input: () => this.#typed(), paste: (event) => this.#paste(event) },
    });
    this.chooser = el("input", {
      type: "file",
      multiple: true,
      hidden: true,
      accept: TYPES.join(","),
      tabindex: "-1",
      on: { change: () => this.#chosen() },
    });
    this.attach = iconButton("attach", words.text("composer.attach"), () => this.chooser.click(), {
      class: "icon-button attach",
    });
    this.send = iconButton("send", words.text("composer.send"), () => this.submit(), { class: "send" });
    this.send.addEventListener("pointerdown", (event) => event.preventDefault()); // the keyboard stays where it is
    this.counter = el("span", { class: "counter", hidden: true });
    this.strip = el("ul", { class: "strip", hidden: true, "aria-label": words.text("composer.files") });
    this.problem = el("p", { class: "problem", role: "alert", hidden: true });
    this.warning = this.#recoveryWarning();
    this.bar = revisingBar(words, () => this.#stopRevising());
    const field = el("div", { class: "field" }, this.attach, this.input, this.send);
    this.element = el(
      "div",
      { class: "composer" },
      this.bar,
      this.warning,
      this.strip,
      this.problem,
      field,
      this.counter,
      this.chooser,
    );
  }

  #recoveryWarning() {
    const { words } = this;
    const edit = el(
      "button",
      { type: "button", class: "button primary", on: { click: () => this.#reconsider() } },
      words.text("recovery.edit"),
    );
    const anyway = el(
      "button",
      { type: "button", class: "button", on: { click: () => this.submit(true) } },
      words.text("recovery.send"),
    );
    const text = el("p", {}, icon("warning"), el("span", {}, words.text("recovery.text")));
    return el(
      "div",
      { class: "warning", role: "alertdialog", "aria-label": words.text("recovery.text"), hidden: true },
      text,
      el("div", { class: "buttons" }, edit, anyway),
    );
  }

  #reconsider() {
    this.warning.hidden = true;
    this.focus();
  }

  /** The same text and the same files, which go on where they are; and if Send was pressed, it was. */
  #takeOver(before) {
    this.input.value = before.input.value;
    this.revising = before.revising;
    for (const upload of before.uploads.splice(0)) this.#adopt(upload);
    this.pending = before.pending;
    before.gone = true;
  }

  /** What lies on the shelf is still to be written, or is a file of a message that is not stored yet. */
  #takeUp(item, who) {
    const { outbox, shelf } = this.chat;
    if (outbox.entries.some((entry) => entry.shelved?.includes(item.key))) return this.chat.show(item);
    if (item.message) return outbox.keeps(item.message) ? undefined : void shelf.remove(item.key);
    if (this.uploads.some((upload) => upload.item.key === item.key)) return undefined;
    const upload = new Upload(this.chat, item);
    upload.belongTo(who);
    return this.#take(upload);
  }

  /** Leave everything on the device, for whom it belongs to. */
  #putAside() {
    for (const upload of this.uploads) upload.putAside();
    this.#empty();
  }

  #empty() {
    this.emptied += 1;
    this.uploads = [];
    this.revising = null;
    this.pending = false;
    this.input.value = "";
    this.warning.hidden = true;
    this.say("");
    this.#draw();
    this.#changed();
  }

  /** Nothing is touched when it stands there already: the caret stays, and so does an unfinished composition. */
  #show(text) {
    if (this.input.value === text) return;
    this.input.value = text;
    this.warning.hidden = true;
    this.#changed();
  }

  #key(event) {
    const composing = event.isComposing || event.keyCode === SAFARI_COMPOSING;
    if (event.key === "Escape" && this.revising && !composing) {
      event.stopPropagation(); // it gives up the change, and not the panel
      this.#stopRevising();
      return;
    }
    if (event.key !== "Enter" || event.shiftKey || composing || this.touch.matches) return;
    event.preventDefault();
    this.submit();
  }

  /** Send what is there, once its files are up. `sure`: the writer has seen the warning. */
  submit(sure = false) {
    const text = this.input.value.isWellFormed?.() === false ? this.input.value.toWellFormed() : this.input.value;
    if (!this.#fits(text)) return;
    if (!sure && looksLikeRecoveryPhrase(text)) return void this.#warn();
    this.warning.hidden = true;
    if (this.revising) return void this.#change(text);
    if (this.uploads.some((upload) => upload.state === "failed"))
      return void this.say(this.words.text("upload.remove_first"));
    if (this.uploads.some((upload) => upload.state !== "done")) return void this.#whenReady();
    this.#write(text);
  }

  #change(text) {
    const item = this.revising;
    if (text !== wordsOf(item)) this.chat.revise(item, /\S/.test(text) ? text : "");
    this.#stopRevising();
    this.sent();
  }

  #write(text) {
    const items = this.uploads.map((upload) => upload.item);
    this.chat.write(/\S/.test(text) ? text : "", items);
    this.drafts.write(this.chat.identity.who, "");
    this.#empty();
    this.focus();
    this.sent();
  }

  #whenReady() {
    this.pending = true;
    this.#changed();
  }

  #warn() {
    this.warning.hidden = false;
    this.warning.querySelector("button").focus();
  }

  #fits(text) {
    const { text: limit, parts } = this.chat.limits;
    const count = this.revising ? filesOf(this.revising).length : this.uploads.length;
    return [...text].length <= limit && count < parts && (/\S/.test(text) || count > 0);
  }

  #typed() {
    const clean = this.input.value.replace(CONTROLS, "");
    if (clean !== this.input.value) this.input.value = clean;
    this.pending = false;
    this.warning.hidden = true;
    if (!this.revising) this.drafts.write(this.chat.identity.who, clean);
    if (clean) this.chat.typing();
    this.#changed();
  }

  #changed() {
    this.#showRevising();
    this.#grow();
    const { text: limit } = this.chat.limits;
    const length = [...this.input.value].length;
    this.counter.hidden = length < limit * COUNTED_FROM;
    this.counter.classList.toggle("over", length > limit);
    const { words } = this;
    say(this.counter, `${words.number(length)} / ${words.number(limit)}`);
    const ready = this.#fits(this.input.value) && !this.pending;
    this.send.setAttribute("aria-disabled", String(!ready)); // not `disabled`: that would throw the focus away
    this.send.classList.toggle("busy", this.pending);
    const named = this.pending ? "composer.sending_files" : this.revising ? "edit.save" : "composer.send";
    this.send.ariaLabel = words.text(named);
  }

  #showRevising() {
    const on = this.revising !== null;
    if (this.bar.hidden !== on) return;
    this.bar.hidden = !on;
    this.element.classList.toggle("changing", on);
    this.send.replaceChildren(icon(on ? "check" : "send"));
  }

  /** As high as its text, up to six lines. */
  #grow() {
    const { input } = this;
    if (!input.isConnected) return;
    input.style.height = "auto";
    const { lineHeight, paddingTop, paddingBottom } = getComputedStyle(input);
    const most =
      Number.parseFloat(lineHeight) * LINES + Number.parseFloat(paddingTop) + Number.parseFloat(paddingBottom);
    input.style.height = `${Math.min(input.scrollHeight, Math.floor(most))}px`;
    input.style.overflowY = input.scrollHeight > most + 1 ? "auto" : "hidden";
  }

  #paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    // Spreadsheets and word processors put a picture of the text beside it: the text is what was meant.
    if (event.clipboardData.getData("text/plain")) return;
    event.preventDefault();
    this.add(files);
  }

  #chosen() {
    this.add([...this.chooser.files]);
    this.chooser.value = "";
    this.focus();
  }

  #take(upload) {
    this.#adopt(upload);
    upload.run();
  }

  #adopt(upload) {
    this.uploads.push(upload);
    upload.on("changed", () => this.#uploadChanged(upload));
    upload.row = this.#row(upload);
    this.#draw();
  }

  #drop(upload) {
    upload.cancel();
    this.#remove((each) => each === upload);
    this.focus();
  }

  #remove(which) {
    for (const upload of this.uploads.filter(which)) upload.putAside();
    this.uploads = this.uploads.filter((upload) => !which(upload));
    this.say("");
    this.#draw();
    this.#changed();
  }

  #uploadChanged(upload) {
    if (!this.uploads.includes(upload)) return; // it went on elsewhere, or was taken off
    this.#drawRow(upload);
    if (upload.state === "failed") this.pending = false;
    this.#changed();
    if (this.pending && this.uploads.every((each) => each.state === "done")) this.submit(true);
  }

  #draw() {
    this.strip.hidden = this.uploads.length === 0;
    this.strip.replaceChildren(...this.uploads.map((upload) => upload.row));
    for (const upload of this.uploads) this.#drawRow(upload);
  }

  #row(upload) {
    const { words } = this;
    const { name, blob } = upload.item;
    const thumb = el("span", { class: "thumb" }, icon(blob.type.startsWith("image/") ? "image" : "file"));
    preview(blob, THUMB_PX).then((canvas) => canvas && thumb.replaceChildren(canvas));
    const bar = el(
      "div",
      {
        class: "bar",
        role: "progressbar",
        "aria-label": words.text("upload.progress", { name }),
        "aria-valuemin": "0",
        "aria-valuemax": "100",
      },
      el("i"),
    );
    const retry = el(
      "button",
      { type: "button", class: "link", hidden: true, on: { click: () => upload.retry() } },
      words.text("state.retry"),
    );
    const off = iconButton("close", words.text("upload.remove", { name }), () => this.#drop(upload), {
      class: "icon-button small",
    });
    const status = el("span", { class: "detail" });
    return el(
      "li",
      { class: "upload" },
      thumb,
      el("span", { class: "stack" }, el("span", { class: "label", dir: "auto" }, name), status, bar),
      retry,
      off,
    );
  }

  #drawRow({ row, state, code, progress, item }) {
    const { words } = this;
    const percent = Math.round(progress * 100);
    const bar = row.querySelector(".bar");
    bar.hidden = state === "done" || state === "failed";
    bar.setAttribute("aria-valuenow", String(percent));
    bar.firstChild.style.width = `${percent}%`;
    row.classList.toggle("failed", state === "failed");
    row.querySelector(".link").hidden = state !== "failed" || PERMANENT.has(code);
    const limit = words.size(this.chat.limits.file);
    const failure = words.has(`upload.${code}`) ? words.text(`upload.${code}`, { limit }) : words.text("upload.failed");
    say(row.querySelector(".detail"), state === "failed" ? failure : words.size(item.blob.size));
  }
}

function wordsOf({ parts }) {
  return parts.filter((part) => part.type === "text").map((part) => part.text).join("\n");
}

function filesOf({ parts }) {
  return parts.filter((part) => part.type !== "text");
}

const PERMANENT = new Set([
  "empty",
  "unsupported_type",
  "too_large",
  "too_many_pixels",
  "damaged",
  "infected",
  "owner_full",
]);
