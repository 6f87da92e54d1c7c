// What is being offered to me just now. An offer is for one operator and lapses: it stands above every list.

import { el, fill } from "./dom.js";
import { now, span } from "./times.js";
import { languageName, t } from "./words.js";
import { waiting } from "./sessions.js";

const SECOND = 1_000;

export class Offers {
  constructor({ names, promise, onTake, onPass }) {
    Object.assign(this, { names, promise, onTake, onPass, rows: [] });
    this.list = el("ul", {});
    this.said = el("p", { class: "sr", role: "status" });
    this.node = el("section", { class: "offers", "aria-label": t("offer.label"), hidden: true }, this.list, this.said);
  }

  stop() {
    clearInterval(this.ticking);
  }

  show(rows) {
    const fresh = rows.filter((row) => !this.rows.some((known) => known.session === row.session));
    this.rows = rows;
    if (fresh.length) this.said.textContent = t("offer.said", { codes: fresh.map((row) => row.code).join(", ") });
    clearInterval(this.ticking);
    if (rows.length) this.ticking = setInterval(() => this.tick(), SECOND);
    this.draw();
  }

  /** Offers lapse on their own; the service says so a moment later. */
  tick() {
    const living = this.rows.filter((row) => row.offer.until > now());
    if (living.length !== this.rows.length) return this.show(living);
    for (const left of this.list.querySelectorAll("[data-until]")) left.textContent = remaining(Number(left.dataset.until));
  }

  draw() {
    this.node.hidden = !this.rows.length;
    const focused = this.list.contains(document.activeElement) && document.activeElement.dataset.focus;
    fill(this.list, ...this.rows.map((row) => this.offer(row)));
    if (focused) this.list.querySelector(`[data-focus="${focused}"]`)?.focus();
  }

  offer(row) {
    const wait = waiting(row, this.promise);
    const press = (name, act, kind) => el("button", { type: "button", class: `button ${kind}`, data: { focus: `${name} ${row.session}` }, onclick: act }, t(`action.${name}`));
    return el(
      "li",
      { class: `offer${row.emergency ? " emergency" : ""}` },
      el("p", { class: "offer-head" }, el("span", { class: "code" }, row.code), el("span", { class: "row-name", dir: "auto" }, row.name || t("row.visitor")), wait.text && el("span", { class: `wait ${wait.level}` }, wait.text)),
      el("p", { class: "row-about" }, [row.emergency && t("row.emergency"), languageName(row.language), this.names.topicName(row.topic)].filter(Boolean).join(" · ")),
      el(
        "p",
        { class: "offer-foot" },
        press("accept", () => this.onTake(row), "primary"),
        press("decline", () => this.onPass(row), ""),
        el("span", { class: "hint", data: { until: String(row.offer.until) } }, remaining(row.offer.until)),
      ),
    );
  }
}

function remaining(until) {
  const seconds = Math.max(0, Math.ceil((until - now()) / SECOND));
  return seconds < 100 ? t("offer.left", { count: seconds }) : t("offer.left_long", { time: span(until - now()) });
}
