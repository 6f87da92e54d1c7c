/*
 * The two ways a frame can travel: a WebSocket, and HTTP where a network blocks sockets (docs/protocol.md).
 * Both say `opened`, `frame(object)`, and, once and last, `closed`. A line is used once; after it comes another.
 */

const POLL_SECONDS = 40; // the server answers a long poll within 25 s

export class SocketLine {
  constructor(base, { opened, frame, closed }) {
    this.done = false;
    this.closed = closed;
    this.socket = new WebSocket(`${base.replace(/^http/, "ws")}v1/socket`);
    this.socket.onopen = opened;
    this.socket.onmessage = (message) => {
      const parsed = read(message.data);
      if (parsed && !this.done) frame(parsed);
    };
    this.socket.onclose = () => this.#end();
  }

  send(frame) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  /** Hang up at once: `close` on a dead network would wait for an answer that never comes. */
  close() {
    this.socket.close(1000);
    this.#end();
  }

  #end() {
    if (this.done) return;
    this.done = true;
    this.closed();
  }
}

export class PollLine {
  constructor(base, { opened, frame, closed }) {
    this.url = `${base}v1/poll`;
    this.frame = frame;
    this.closed = closed;
    this.connection = null;
    this.waiting = [];
    this.sending = false;
    this.done = false;
    this.stop = new AbortController();
    queueMicrotask(opened);
  }

  /** The first frame is the hello, which opens the connection; what is said before it is open waits its turn. */
  send(frame) {
    this.waiting.push(frame);
    if (!this.sending) this.#drain();
  }

  close() {
    if (this.connection) {
      const headers = { "X-Kakehashi-Connection": this.connection };
      fetch(`${this.url}/close`, { method: "POST", headers, keepalive: true }).catch(() => {});
    }
    this.#end();
  }

  async #drain() {
    this.sending = true;
    while (this.waiting.length > 0 && !this.done) {
      if (this.connection) await this.#ask("POST", "/send", this.waiting.splice(0, 32));
      else await this.#open(this.waiting.shift());
    }
    this.sending = false;
  }

  async #open(hello) {
    const answer = await this.#ask("POST", "", hello);
    this.connection = answer?.connection ?? null;
    if (!this.connection) this.#end();
    else this.#receive();
  }

  async #receive() {
    while (!this.done) await this.#ask("GET", "/receive");
  }

  async #ask(method, path, body) {
    const headers = this.connection ? { "X-Kakehashi-Connection": this.connection } : {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const request = { method, headers, signal: this.stop.signal, body: body && JSON.stringify(body) };
    const late = setTimeout(() => this.#end(), POLL_SECONDS * 1000);
    try {
      const response = await fetch(this.url + path, request);
      if (!response.ok) throw new Error(`poll: ${response.status}`);
      const answer = await response.json();
      // The connection is known before its frames are acted on: an answer to them must find it open.
      if (answer.connection) this.connection = answer.connection;
      for (const frame of answer.frames ?? []) if (!this.done) this.frame(frame);
      return answer;
    } catch {
      this.#end(); // 410, a dead network, a timeout: the next line begins again with hello and the position
      return null;
    } finally {
      clearTimeout(late);
    }
  }

  #end() {
    if (this.done) return;
    this.done = true;
    this.stop.abort();
    this.closed();
  }
}

function read(text) {
  try {
    const frame = JSON.parse(text);
    return frame && typeof frame === "object" ? frame : null;
  } catch {
    return null;
  }
}
