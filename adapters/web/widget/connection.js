/*
 * One line to the desk, kept open: back-off with full jitter, at once again when the page wakes up, HTTP where sockets
 * do not open, and a watch that notices a line that died without a word. Knows frames only by `t`.
 */

import { Emitter } from "./emitter.js";
import { PollLine, SocketLine } from "./lines.js";

const WELCOME_SECONDS = 12; // from dialling to welcome; the server gives up after 10
const SILENCE_SECONDS = 60; // the server beats every 25 s
const PONG_SECONDS = 5;
const FIRST_WAIT_SECONDS = 0.5;
const LONGEST_WAIT_SECONDS = 30;
const SOCKET_FAILURES = 2; // in a row, without one frame: the network blocks sockets
const SOCKET_AGAIN_SECONDS = 300;

/**
 * Emits `frame` (a server's frame), `online` (before the welcome is handed on), `offline`, `attempt` (a try failed).
 * `hello()` promises the first frame. `state`: closed, dialling, connecting, online or waiting.
 */
export class Connection extends Emitter {
  constructor(base, hello) {
    super();
    this.base = base;
    this.hello = hello;
    this.state = "closed";
    this.line = null;
    this.failures = 0;
    this.socketFailures = 0;
    this.socketAgain = 0;
    this.heard = 0;
    this.timers = {};
    this.#listen();
  }

  get online() {
    return this.state === "online";
  }

  /** Connect, and stay connected until `close`. */
  open() {
    if (this.state === "closed") this.#dial();
  }

  /** Hang up, and stay so. */
  close() {
    this.#hangUp("closed");
  }

  /** Say something; false when nobody is there to hear it. */
  send(frame) {
    if (!this.online) return false;
    this.line.send(frame);
    return true;
  }

  /** Hang up and begin again after so many seconds (null: the usual back-off). */
  again(seconds = 0) {
    if (this.state === "closed") return;
    this.#hangUp("waiting");
    const wait = seconds ?? this.#backOff();
    this.timers.again = setTimeout(() => this.#dial(), wait * 1000);
    this.emit("attempt");
  }

  /** The page woke up, or a person asked: no more waiting. A line that looks alive is asked whether it is. */
  wake() {
    if (this.state === "waiting") this.#dial();
    if (this.state === "online") this.#probe();
  }

  #listen() {
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.wake());
    addEventListener("pageshow", () => this.wake());
    addEventListener("online", () => {
      this.socketAgain = 0;
      if (this.state === "connecting") this.again(0);
      else this.wake();
    });
    addEventListener("offline", () => this.again(null));
    // A page that goes into the back-forward cache must not hold a socket; `pageshow` dials again.
    addEventListener("pagehide", () => this.state !== "closed" && this.#hangUp("waiting"));
  }

  async #dial() {
    this.#hangUp("dialling");
    const dialling = (this.dialling = Symbol("dialling"));
    await new Promise((resolve) => setTimeout(resolve)); // what the site says in the same breath belongs in the hello
    const hello = await this.hello();
    if (this.state !== "dialling" || this.dialling !== dialling) return;
    const polls = this.socketFailures >= SOCKET_FAILURES && Date.now() < this.socketAgain;
    this.#connect(polls ? PollLine : SocketLine, hello);
  }

  #connect(Line, hello) {
    let heard = false;
    this.state = "connecting";
    const line = new Line(this.base, {
      opened: () => this.line === line && line.send(hello),
      frame: (frame) => {
        heard = true;
        if (this.line === line) this.#frame(frame);
      },
      closed: () => {
        if (Line === SocketLine && !heard) this.#socketFailed();
        if (this.line === line) this.again(null);
      },
    });
    this.line = line;
    this.timers.welcome = setTimeout(() => line.close(), WELCOME_SECONDS * 1000);
  }

  #socketFailed() {
    this.socketFailures += 1;
    if (this.socketFailures >= SOCKET_FAILURES) this.socketAgain = Date.now() + SOCKET_AGAIN_SECONDS * 1000;
  }

  #frame(frame) {
    this.heard = Date.now();
    clearTimeout(this.timers.pong);
    if (frame.t === "welcome") this.#welcomed();
    if (frame.t === "beat") this.send({ t: "beat" });
    this.emit("frame", frame);
  }

  #welcomed() {
    const first = this.state === "connecting"; // `identify` brings another one
    this.state = "online";
    this.failures = 0;
    if (!first) return;
    clearTimeout(this.timers.welcome);
    this.timers.watch = setInterval(() => this.#watch(), 5000);
    if (this.line instanceof SocketLine) this.socketFailures = 0;
    else this.timers.socket = setTimeout(() => this.again(0), Math.max(0, this.socketAgain - Date.now()));
    this.emit("online");
  }

  /** A laptop that slept finds its line dead here, long before the system would say so. */
  #watch() {
    if (Date.now() - this.heard > SILENCE_SECONDS * 1000) this.again(0);
  }

  #probe() {
    this.send({ t: "ping", n: Math.floor(Math.random() * 1e9) });
    clearTimeout(this.timers.pong);
    this.timers.pong = setTimeout(() => this.again(0), PONG_SECONDS * 1000);
  }

  #hangUp(next) {
    const { line, online } = this;
    for (const timer of Object.values(this.timers)) clearTimeout(timer); // intervals and timeouts share their ids
    this.timers = {};
    this.line = null;
    this.state = next;
    line?.close();
    if (online) this.emit("offline");
  }

  #backOff() {
    const most = Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** this.failures);
    this.failures += 1;
    return Math.random() * most;
  }
}
