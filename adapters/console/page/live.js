// The live connection: what others do, as it happens. After any gap the page reads everything anew.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const SILENCE = 50_000; // ms: the service beats every 20 s
const SIGNED_OUT = 4401;

export class Live {
  /** `onFrame(frame)`, `onState("open" | "lost")`, and `onSignedOut()`. */
  constructor({ onFrame, onState, onSignedOut }) {
    this.onFrame = onFrame;
    this.onState = onState;
    this.onSignedOut = onSignedOut;
    this.wait = FIRST_WAIT;
    this.stopped = false;
    this.wake = () => document.visibilityState === "visible" && this.hurry();
    for (const event of ["online", "pageshow"]) window.addEventListener(event, this.wake);
    document.addEventListener("visibilitychange", this.wake);
    this.connect();
  }

  connect() {
    clearTimeout(this.again);
    const address = new URL("api/live", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.hash = "";
    const socket = new WebSocket(address);
    this.socket = socket;
    socket.onopen = () => {
      this.wait = FIRST_WAIT;
      this.listen();
      this.onState("open");
    };
    socket.onmessage = (message) => {
      this.listen();
      this.onFrame(JSON.parse(message.data));
    };
    socket.onclose = (event) => socket === this.socket && this.lost(event);
  }

  /** Silence means that the line is dead, whatever the browser believes. */
  listen() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.socket.close(), SILENCE);
  }

  lost(event) {
    clearTimeout(this.silence);
    if (this.stopped) return;
    if (event.code === SIGNED_OUT) {
      this.onSignedOut();
      return;
    }
    this.onState("lost");
    this.again = setTimeout(() => this.connect(), this.wait * (0.5 + Math.random()));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  /** The person is looking, or the network is back: no reason to wait. */
  hurry() {
    if (!this.stopped && this.socket.readyState === WebSocket.CLOSED) this.connect();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.again);
    clearTimeout(this.silence);
    for (const event of ["online", "pageshow"]) window.removeEventListener(event, this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    this.socket.close();
  }
}
