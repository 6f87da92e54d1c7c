/* How somebody who looks elsewhere notices a reply: the badge, the page's title, and a sound for those who want it. */

import { el, say } from "./dom.js";

const MARK = /^\(\d+\) /;
const MOST = 99;

export class Attention {
  constructor(launcher, keep) {
    this.launcher = launcher;
    this.keep = keep;
    this.badge = null;
    this.unread = 0;
    document.addEventListener("visibilitychange", () => this.#title());
  }

  get sound() {
    return this.keep.get("sound") === true;
  }

  set sound(on) {
    this.keep.set("sound", on);
    if (on) this.#chime();
  }

  /** So many messages are unread; `label` is what the launcher is called now. */
  show(unread, label) {
    this.unread = unread;
    this.launcher.ariaLabel = label;
    this.launcher.title = label;
    if (unread > 0 && !this.badge)
      this.launcher.append((this.badge = el("span", { class: "badge", "aria-hidden": "true" })));
    if (this.badge) {
      this.badge.hidden = unread === 0;
      say(this.badge, unread > MOST ? `${MOST}+` : String(unread));
    }
    this.#title();
  }

  arrived() {
    if (this.sound && (document.hidden || this.unread > 0)) this.#chime();
  }

  /** The site's title may change under us, so ours is put before whatever it is now. */
  #title() {
    const bare = document.title.replace(MARK, "");
    const wanted = document.hidden && this.unread > 0 ? `(${this.unread}) ${bare}` : bare;
    if (document.title !== wanted) document.title = wanted;
  }

  /** Two soft notes, made here: no sound file for a site's policy to forbid. */
  #chime() {
    if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return; // browsers forbid it, loudly
    const audio = new AudioContext();
    const volume = audio.createGain();
    volume.connect(audio.destination);
    volume.gain.setValueAtTime(0.0001, audio.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.08, audio.currentTime + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + 0.6);
    for (const [pitch, start] of [
      [659.25, 0],
      [880, 0.12],
    ]) {
      const note = audio.createOscillator();
      note.frequency.value = pitch;
      note.connect(volume);
      note.start(audio.currentTime + start);
      note.stop(audio.currentTime + 0.7);
    }
    setTimeout(() => audio.close(), 1000);
  }
}
