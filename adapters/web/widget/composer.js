/*
 * Where the customer writes. Enter sends and Shift+Enter breaks the line, except on touch keyboards, where Enter breaks
 * it; an Enter that ends an input-method composition never sends. What is written is kept on the device until it is sent.
 */

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
  constructor({ words, chat, keep, sent }) {
    Object.assign(this, { words, chat, keep, sent });
    this.uploads = [];
    this.pending = false; // Send was pressed while a file is still on its way
    this.touch = matchMedia("(hover: none) and (pointer: coarse)");
    this.#build();
    this.restore();
  }

  focus() {
    this.input.focus();
  }

  /** Bring back what this person was writing, files included. */
  async restore() {
    const { who } = this.chat.identity;
    const draft = this.keep.get(`draft/${who}`) ?? this.keep.get("draft/visitor"); // who logs in goes on writing
    this.keep.remove("draft/visitor");
    if (draft) this.keep.set(`draft/${who}`, draft);
    this.input.value = draft ?? "";
    this.#changed();
    const items = await this.chat.shelf.all();
    const mine = items.filter(
      (item) => [who, "visitor"].includes(item.who) && !this.uploads.some(({ item: { key } }) => key === item.key),
    );
    for (const item of mine) if (item.blob instanceof Blob) this.#take(new Upload(this.chat, item));
  }

  /** Take text back that was not sent. */
  edit(text) {
    this.input.value = [this.input.value, text].filter(Boolean).join("\n");
    this.#typed();
    this.focus();
  }

  /** Files that were chosen, dropped or pasted. */
  add(files) {
    this.say("");
    for (const file of files) {
      if (this.uploads.length >= this.chat.limits.parts - 1) {
        this.say(this.words.text("upload.too_many", { count: this.chat.limits.parts - 1 }));
        break;
      }
      this.#take(Upload.of(this.chat, file, file.name || `image.${file.type.split("/")[1] ?? "png"}`));
    }
  }

  clear() {
    for (const upload of this.uploads) upload.cancel();
    this.uploads = [];
    this.input.value = "";
    this.warning.hidden = true;
    this.#draw();
    this.#changed();
  }

  render() {
    this.#changed();
  }

  dispose() {
    for (const upload of this.uploads) upload.stop.abort();
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
    const field = el("div", { class: "field" }, this.attach, this.input, this.send);
    this.element = el(
      "div",
      { class: "composer" },
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

  #key(event) {
    const composing = event.isComposing || event.keyCode === SAFARI_COMPOSING;
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
    if (this.uploads.some((upload) => upload.state === "failed"))
      return void this.say(this.words.text("upload.remove_first"));
    if (this.uploads.some((upload) => upload.state !== "done")) return void this.#whenReady();
    this.#write(text);
  }

  #write(text) {
    const files = this.uploads.map((upload) => ({ file: upload.file, blob: upload.item.blob }));
    this.chat.write(/\S/.test(text) ? text : "", files);
    for (const upload of this.uploads) upload.forget();
    this.uploads = [];
    this.pending = false;
    this.input.value = "";
    this.say("");
    this.keep.remove(`draft/${this.chat.identity.who}`);
    this.#draw();
    this.#changed();
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
    const length = [...text].length;
    return length <= this.chat.limits.text && (/\S/.test(text) || this.uploads.length > 0);
  }

  #typed() {
    const clean = this.input.value.replace(CONTROLS, "");
    if (clean !== this.input.value) this.input.value = clean;
    this.pending = false;
    this.warning.hidden = true;
    const key = `draft/${this.chat.identity.who}`;
    if (clean) this.keep.set(key, clean);
    else this.keep.remove(key);
    if (clean) this.chat.typing();
    this.#changed();
  }

  #changed() {
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
    this.send.ariaLabel = words.text(this.pending ? "composer.sending_files" : "composer.send");
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
    this.uploads.push(upload);
    upload.on("changed", () => this.#uploadChanged(upload));
    upload.row = this.#row(upload);
    this.#draw();
    upload.run();
  }

  #drop(upload) {
    upload.cancel();
    this.uploads = this.uploads.filter((each) => each !== upload);
    this.say("");
    this.#draw();
    this.#changed();
    this.focus();
  }

  #uploadChanged(upload) {
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

const PERMANENT = new Set([
  "empty",
  "unsupported_type",
  "too_large",
  "too_many_pixels",
  "damaged",
  "infected",
  "owner_full",
]);
