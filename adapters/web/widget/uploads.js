/*
 * Attachments on their way: in chunks, resumed where they stood after a lost line or a reload, with progress, and with
 * their errors told in place. An upload is on the shelf (IndexedDB) until its message is stored or it was taken off.
 */

import { Emitter } from "./emitter.js";
import { freshId } from "./outbox.js";

export const TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif", "application/pdf"];
const LONGEST_WAIT_SECONDS = 15;
const WAITING_HELPS = new Set(["busy", "rate", "too_many_uploads", "storage_full", "unchecked", "too_slow"]);

/** Emits `changed`. `state`: waiting (for the line), sending, done (the desk knows it as `file`), or failed (`code`). */
export class Upload extends Emitter {
  constructor(chat, item, kept = true) {
    super();
    this.chat = chat;
    this.item = item;
    this.kept = kept; // it is on the shelf already
    this.state = item.file ? "done" : "waiting";
    this.code = null;
    this.sent = item.file ? item.blob.size : 0;
    this.stop = new AbortController();
    this.waits = 0;
  }

  /** A file that a person has just chosen, or one that was up already: then with what the desk calls it. */
  static of(chat, blob, name, file = null) {
    const { who } = chat.identity;
    return new Upload(chat, { key: freshId(), who, blob, name, type: blob.type, upload: null, file }, false);
  }

  get file() {
    return this.item.file;
  }

  get progress() {
    return this.state === "done" ? 1 : Math.min(0.98, this.sent / Math.max(1, this.item.blob.size));
  }

  async run() {
    const unfit = this.#unfit();
    if (unfit) return this.#set("failed", unfit);
    if (!this.kept) await this.#shelve();
    while (!["done", "failed"].includes(this.state) && !this.stop.signal.aborted) await this.#attempt();
    return undefined;
  }

  retry() {
    this.item.upload = null;
    this.#set("waiting");
    return this.run();
  }

  /** Take it off: nothing of it stays here, and the desk is told. `token`: of the one whose it is. */
  cancel(token = this.chat.uploadToken) {
    this.stop.abort();
    this.chat.shelf.remove(this.item.key);
    const headers = { Authorization: `Bearer ${token}` };
    if (!this.item.upload || this.file) return;
    this.#ask("DELETE", `/${this.item.upload}`, { headers, signal: null }).catch(() => {});
  }

  /** Stop, and leave it on the shelf for the one whose it is. */
  putAside() {
    this.stop.abort();
  }

  /** The visitor who chose it has logged in. */
  belongTo(who) {
    if (this.item.who === who) return;
    this.item.who = who;
    this.#shelve();
  }

  async #shelve() {
    if (!this.stop.signal.aborted) await this.chat.shelf.put(this.item);
  }

  #unfit() {
    const { blob } = this.item;
    if (blob.size === 0) return "empty";
    if (!TYPES.includes(this.item.type)) return "unsupported_type";
    return blob.size > this.chat.limits.file ? "too_large" : null;
  }

  async #attempt() {
    try {
      await this.#line();
      this.#set("sending");
      await this.#send();
    } catch (problem) {
      if (this.stop.signal.aborted) return;
      const waiting = !problem.code || WAITING_HELPS.has(problem.code);
      if (!waiting) return this.#set("failed", problem.code);
      this.#set("waiting");
      await pause(problem.after ?? this.#backOff());
    }
  }

  /** An upload belongs to a customer, so the desk must have said who this one is. */
  async #line() {
    this.chat.open();
    while (!(this.chat.online && this.chat.uploadToken)) {
      this.stop.signal.throwIfAborted();
      await pause(0.3);
    }
  }

  async #send() {
    const { item } = this;
    this.sent = item.upload ? await this.#offset() : await this.#begin();
    while (this.sent < item.blob.size) {
      const chunk = item.blob.slice(this.sent, this.sent + this.chat.limits.chunk);
      const headers = { "Upload-Offset": String(this.sent), "Content-Type": "application/octet-stream" };
      const answer = await this.#ask("PATCH", `/${item.upload}`, { body: chunk, headers });
      this.sent = (await answer.json()).offset;
      this.waits = 0;
      this.emit("changed");
    }
    const { file } = await (await this.#ask("POST", `/${item.upload}/finish`)).json();
    item.file = file;
    await this.#shelve();
    this.#set("done");
  }

  async #begin() {
    const { name, blob } = this.item;
    const body = JSON.stringify({ name, size: blob.size });
    const begun = await (await this.#ask("POST", "", { body, headers: { "Content-Type": "application/json" } })).json();
    this.item.upload = begun.upload;
    await this.#shelve();
    return begun.offset;
  }

  async #offset() {
    const answer = await this.#ask("HEAD", `/${this.item.upload}`);
    return Number(answer.headers.get("Upload-Offset"));
  }

  /** Raises a problem with `code` when the desk said no, without one when the line broke. */
  async #ask(method, path, { body, headers = {}, signal = this.stop.signal } = {}) {
    const bearer = { Authorization: `Bearer ${this.chat.uploadToken}`, ...headers };
    const response = await fetch(`${this.chat.base}v1/uploads${path}`, { method, body, headers: bearer, signal });
    if (response.ok || response.status === 409) return this.#known(response, method);
    throw await this.#problem(response);
  }

  /** 409 to a chunk names the offset to go on from; to `finish` it means that bytes are missing. */
  #known(response, method) {
    if (response.status === 409 && method === "POST") throw new UploadError(null);
    return response;
  }

  async #problem(response) {
    const { error } = await response.json().catch(() => ({ error: null }));
    const after = Number(response.headers.get("Retry-After")) || null;
    if (response.status === 401) this.chat.connection.again(0); // a fresh token comes with the welcome
    if (response.status === 404) this.item.upload = null; // it was forgotten there: from the beginning
    const passing = response.status === 401 || response.status === 404 || (response.status >= 500 && !error?.code);
    return new UploadError(passing ? null : (error?.code ?? "refused"), after);
  }

  #set(state, code = null) {
    this.state = state;
    this.code = code;
    this.emit("changed");
  }

  #backOff() {
    this.waits += 1;
    return Math.min(LONGEST_WAIT_SECONDS, 2 ** (this.waits - 1)) * (0.5 + Math.random() / 2);
  }
}

class UploadError extends Error {
  constructor(code, after = null) {
    super(code ?? "the line broke");
    this.code = code;
    this.after = after;
  }
}

function pause(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/**
 * Draw a picture into a canvas, at most `most` CSS pixels a side. Not an <img> of a blob: address: a site's policy may
 * well forbid those. Resolves to null for what is no picture.
 */
export async function preview(blob, most) {
  if (!(blob instanceof Blob) || !blob.type.startsWith("image/")) return null;
  try {
    const image = await createImageBitmap(blob);
    const density = Math.min(2, devicePixelRatio || 1);
    const scale = Math.min(1, (most * density) / Math.max(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(image.width * scale));
    canvas.height = Math.max(1, Math.round(image.height * scale));
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    image.close();
    return canvas;
  } catch {
    return null;
  }
}
