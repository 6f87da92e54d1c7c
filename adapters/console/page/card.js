// Beside the conversation: what is known of the customer, and what there was before.

import { el, fill, icon } from "./dom.js";
import { clock, date, moment, now, span, timeThere } from "./times.js";
import { languageName, t } from "./words.js";

export class Card {
  /** `acts` are {check, incident}: what the card's buttons do. */
  constructor({ topicName, nameOf, incidentName, acts, onClose }) {
    Object.assign(this, { topicName, nameOf, incidentName, acts, onClose });
    this.node = this.frame();
  }

  frame(...children) {
    return el("aside", { class: "card", "aria-label": t("card.title") }, ...children);
  }

  show(row, card) {
    const close = { type: "button", class: "icon-button card-close", "aria-label": t("card.close"), onclick: this.onClose };
    const focused = this.node.contains(document.activeElement) && document.activeElement.dataset.act;
    const fresh = this.frame(
      el("button", close, icon("close")),
      el("h2", { dir: "auto" }, card.name || t("row.visitor")),
      this.standing(card),
      row.state === "closed" ? "" : el("div", { class: "card-state" }, this.promises(card), this.escalation(row), this.check(row, card), this.incident(row), this.setback(card)),
      el("dl", { class: "facts" }, this.facts(row, card).map(([name, value]) => fact(name, value))),
      el("h3", {}, t("card.history")),
      this.past(card.past),
    );
    if (fresh.isEqualNode(this.node)) return; // somebody may be pressing a button of it
    fill(this.node, ...fresh.childNodes);
    if (focused) this.node.querySelector(`[data-act="${focused}"]`)?.focus();
  }

  clear() {
    this.node.replaceChildren();
  }

  standing(card) {
    if (card.verified) return el("p", { class: "standing verified" }, icon("verified"), t("card.verified"));
    return el("p", { class: "standing" }, t("card.unverified"));
  }

  /** What the desk has promised and still owes. */
  promises(card) {
    if (!card.promises.length) return null;
    const one = ({ kind, due, missed }) => {
      const level = missed || due <= now() ? "past" : "";
      const time = moment(due);
      return el("li", { class: `promise ${level}` }, t(level ? "card.promise_missed" : "card.promise", { promise: t(`promise.${kind}`), time }));
    };
    return el("ul", { class: "promises", "aria-label": t("card.promises") }, card.promises.map(one));
  }

  escalation(row) {
    const ladder = row.escalation;
    if (!ladder) return null;
    const taken = ladder.acknowledged_by && t("attention.acknowledged", { name: this.nameOf(ladder.acknowledged_by), time: clock(ladder.acknowledged_at) });
    const text = [t("attention.escalated", { time: moment(ladder.since), why: t(`cause.${ladder.why}`) }), taken].filter(Boolean).join(" ");
    return el("p", { class: `card-line ${taken ? "near" : "past"}` }, text);
  }

  check(row, card) {
    const { state, until } = row.check ?? { state: card.check_demanded ? "needed" : "none" };
    const text = t(`card.check_${state}`, { left: until ? span(until - now()) : "", time: until ? clock(until) : "" });
    const may = state !== "passed" && state !== "requested";
    const button = may && el("button", { type: "button", class: "link-button", data: { act: "check" }, onclick: this.acts.check }, t(state === "none" || state === "needed" ? "action.check" : "action.check_again"));
    return el("p", { class: `card-line ${state === "passed" ? "good" : state === "failed" || state === "needed" ? "near" : ""}` }, text, " ", button);
  }

  incident(row) {
    const change = el("button", { type: "button", class: "link-button", data: { act: "incident" }, onclick: this.acts.incident }, t(row.incident ? "card.incident_change" : "card.incident_link"));
    return el("p", { class: "card-line" }, row.incident ? `${this.incidentName(row.incident)} ` : "", change);
  }

  /** What is not in the thread on the network yet: it goes by another way than ours, and may be held up. */
  setback({ setback }) {
    if (!setback) return null;
    const { network, code, uncertain, effects } = setback;
    const name = network.charAt(0).toUpperCase() + network.slice(1);
    return el("p", { class: "card-line near" }, t(uncertain ? "card.uncertain" : "card.held_up", { network: name, code, count: effects }));
  }

  facts(row, card) {
    const answered = card.first_response_at ? moment(card.first_response_at) : t("card.first_response_none");
    const times = (count) => count && t("card.times", { count });
    return [
      [t("card.code"), copyable(row.code)],
      [t("card.account"), card.account && copyable(card.account)],
      ...Object.entries(card.claims).map(([name, value]) => [name, copyable(value)]),
      [t("card.topic"), this.topicName(row.topic)],
      [t("card.language"), languageName(row.language)],
      [t("card.page"), card.page && el("span", { class: "page" }, card.page)],
      [t("card.locale"), card.locale],
      [t("card.time_zone"), card.time_zone && timeThere(card.time_zone)],
      [t("card.opened"), moment(card.opened_at)],
      [t("card.first_response"), answered],
      [t("card.transfers"), times(card.transfers)],
      [t("card.reopenings"), times(card.reopenings)],
    ].filter(([, value]) => value);
  }

  past(sessions) {
    if (!sessions.length) return el("p", { class: "hint" }, t("card.history_none"));
    return el("ul", { class: "past" }, sessions.map((one) => this.pastOne(one)));
  }

  pastOne(one) {
    const ended = one.outcome ? t(`outcome.${one.outcome}`) : t(one.state === "queued" ? "state.queued" : `state.${one.state}`, { name: "" });
    return el(
      "li",
      {},
      el(
        "a",
        { href: `#${one.code}` },
        el("span", { class: "code" }, one.code),
        el("span", {}, `${this.topicName(one.topic)} · ${ended}`),
        el("time", {}, date(one.opened_at)),
      ),
    );
  }
}

function fact(name, value) {
  return el("div", { class: "fact" }, el("dt", { dir: "auto" }, name), el("dd", { dir: "auto" }, value));
}

/** A value that one press copies, byte for byte. */
function copyable(value) {
  const button = el("button", { type: "button", class: "copy", title: t("thread.copy") }, value);
  button.addEventListener("click", async () => {
    if (!navigator.clipboard) return getSelection().selectAllChildren(button); // browsers want https for the rest
    await navigator.clipboard.writeText(value);
    button.dataset.said = t("thread.copied");
    setTimeout(() => delete button.dataset.said, 1_500);
  });
  return button;
}
