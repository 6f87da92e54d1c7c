// Whether I am on: what I said, why it is so, and until when. "On" is a promise to answer, so it never lasts for ever.

import { tell } from "./api.js";
import { el } from "./dom.js";
import { clock } from "./times.js";
import { t } from "./words.js";

const CHOICES = ["on", "away", "off"];
const ACT_EVERY = 60_000; // ms: often enough beside the hour after which "on" lapses

export class Standing {
  /** `onProblem(error)` says why a choice could not be kept. */
  constructor({ standing, onProblem }) {
    this.onProblem = onProblem;
    this.actedAt = 0;
    this.buttons = CHOICES.map((choice) =>
      el("button", { type: "button", class: "switch-part", "aria-pressed": "false", data: { choice }, onclick: () => this.choose(choice) }, t(`standing.${choice}`)),
    );
    this.words = el("p", { class: "standing-words", role: "status" });
    this.node = el("section", { class: "standing-switch", "aria-label": t("standing.label") }, el("div", { class: "switch", role: "group" }, this.buttons), this.words);
    this.onAct = (event) => event.isTrusted && this.acted();
    for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, this.onAct, { passive: true });
    this.show(standing);
  }

  stop() {
    for (const kind of ["keydown", "pointerdown"]) document.removeEventListener(kind, this.onAct);
  }

  show(standing) {
    this.now = standing;
    const chosen = choiceOf(standing);
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.choice === chosen));
    document.documentElement.dataset.on = String(standing.on);
    this.words.textContent = explained(standing);
  }

  async choose(choice) {
    try {
      const { standing } = await tell("me/availability", { choice });
      this.show(standing);
    } catch (error) {
      this.onProblem(error);
    }
  }

  toggle() {
    this.choose(this.now.on ? "away" : "on");
  }

  /** A key or a press is a sign of life; a page that is merely open is none. */
  acted() {
    if (Date.now() - this.actedAt < ACT_EVERY) return;
    this.actedAt = Date.now();
    tell("me/acted", {}).catch(() => (this.actedAt = 0));
  }
}

/** Which of the choices it amounts to; "" where nothing was ever said or seen. */
export function choiceOf({ on, because, since, hands_back_at: back }) {
  if (because === "nothing") return "";
  return on ? "on" : because === "said" && back === since ? "off" : "away";
}

/** Why somebody is on or not, and until when, in one line. */
export function explained(standing) {
  const { on, because, until, hands_back_at: back } = standing;
  const why = t(`standing.because.${because}`);
  if (on) return until ? t(because === "said" ? "standing.on_until" : "standing.until", { why, time: clock(until) }) : why;
  return [why, until && t("standing.on_again", { time: clock(until) }), back && t("standing.hands_back", { time: clock(back) })].filter(Boolean).join(" · ");
}
