// What asks for attention in the open conversation, one quiet line each, with the one thing to do about it.

import { el, fill } from "./dom.js";
import { clock, moment, now, span } from "./times.js";
import { t } from "./words.js";

export class Attention {
  /** `acts` are {acknowledge, check}; `names` {nameOf, incidentName}. */
  constructor({ names, acts }) {
    Object.assign(this, { names, acts });
    this.node = el("div", { class: "attention", role: "region", "aria-label": t("attention.label") });
  }

  show(row, card) {
    const strips = row.state === "closed" ? [] : [this.emergency(row), this.escalation(row), this.check(row, card), this.incident(row, card), this.takenOver(row), this.closed(row)].filter(Boolean);
    const signature = JSON.stringify(strips);
    if (signature === this.signature) return;
    this.signature = signature;
    const focused = this.node.contains(document.activeElement) && document.activeElement.dataset.act;
    fill(this.node, ...strips.map((strip) => this.strip(strip)));
    if (focused) this.node.querySelector(`[data-act="${focused}"]`)?.focus();
  }

  strip({ level, text, act, label, href }) {
    const button = act && el("button", { type: "button", class: "button small", data: { act }, onclick: () => this.acts[act]() }, label);
    const link = href && el("a", { href }, label);
    return el("p", { class: `strip ${level}` }, el("span", {}, text), button, link);
  }

  emergency(row) {
    return row.emergency && { level: "past", text: t("attention.emergency") };
  }

  escalation(row) {
    const ladder = row.escalation;
    if (!ladder) return null;
    const time = moment(ladder.since);
    const why = t(`cause.${ladder.why}`);
    const taken = ladder.acknowledged_by && t("attention.acknowledged", { name: this.names.nameOf(ladder.acknowledged_by), time: clock(ladder.acknowledged_at) });
    const text = [t("attention.escalated", { time, why }), taken || t(ladder.called ? "attention.called" : "attention.nobody")].join(" ");
    return { level: taken ? "near" : "past", text, act: "acknowledge", label: t("action.acknowledge"), ...(taken ? { act: null } : {}) };
  }

  check(row, card) {
    const check = row.check;
    if (check?.state === "passed") return null;
    if (check?.state === "requested") return { level: "", text: t("attention.check_requested", { left: span(check.until - now()) }) };
    if (check) return { level: "near", text: t(`attention.check_${check.state}`), act: "check", label: t("action.check_again") };
    return card.check_demanded && { level: "near", text: t("attention.check_needed"), act: "check", label: t("action.check") };
  }

  incident(row, card) {
    if (!row.incident) return null;
    const text = t(card.incident?.ended_at ? "attention.incident_over" : "attention.incident", { incident: this.names.incidentName(row.incident) });
    return { level: "near", text, href: `#/incidents/${row.incident}`, label: t("attention.open_incident") };
  }

  takenOver(row) {
    return row.taken_over && { level: "near", text: t("attention.taken_over", { network: t(`network.${row.network}`), time: moment(row.taken_over) }) };
  }

  closed(row) {
    return row.opens_at && { level: "", text: t("attention.desk_closed", { time: moment(row.opens_at) }) };
  }
}
