// What the last shift handed over: one quiet card above the lists, until it is closed or the shift is old.

import { ask } from "./api.js";
import { el, fill, icon } from "./dom.js";
import { clock } from "./times.js";
import { t } from "./words.js";

const LOOK_EVERY = 60_000; // ms: a shift changes a few times a day

export class Handover {
  /** `kept` remembers across reloads which one was closed. */
  constructor({ names, kept }) {
    Object.assign(this, { names, kept });
    this.node = el("section", { class: "handover", "aria-label": t("handover.label"), hidden: true });
    this.timer = setInterval(() => this.look(), LOOK_EVERY);
    this.look();
  }

  stop() {
    clearInterval(this.timer);
  }

  async look() {
    const { handovers } = await ask("handovers").catch(() => ({ handovers: [] }));
    const closed = this.kept.read("handover") ?? 0;
    const fresh = handovers.filter((one) => one.at > closed);
    const signature = JSON.stringify(fresh);
    if (signature === this.signature) return;
    this.signature = signature;
    this.node.hidden = !fresh.length;
    fill(this.node, ...fresh.map((one) => this.digest(one)), fresh.length ? this.closer(fresh[0].at) : "");
  }

  closer(at) {
    const close = () => (this.kept.write("handover", at), this.look());
    return el("button", { type: "button", class: "icon-button handover-close", "aria-label": t("handover.close"), onclick: close }, icon("close"));
  }

  digest(one) {
    const nobody = t("handover.nobody");
    const shift = { at: clock(one.at), leaves: one.leaves || nobody, comes: one.comes || nobody };
    const near = one.near.map(({ code, at }) => named(code, clock(at)));
    const late = one.escalated.map(({ code, since, taken }) => named(code, taken || clock(since)));
    return el(
      "div",
      { class: "handover-desk" },
      el("p", { class: "handover-head" }, el("strong", {}, this.names.deskName(one.desk)), " ", t("handover.shift", shift)),
      el("p", { class: "hint" }, t("handover.open", one)),
      near.length ? el("p", { class: "handover-soon" }, t("handover.near"), " ", ...spaced(near)) : "",
      late.length ? el("p", { class: "handover-late" }, t("handover.escalated"), " ", ...spaced(late)) : "",
    );
  }
}

function named(code, about) {
  return el("a", { href: `#${code}` }, el("span", { class: "code" }, code), ` ${about}`);
}

function spaced(nodes) {
  return nodes.flatMap((node, place) => (place ? [" · ", node] : [node]));
}
