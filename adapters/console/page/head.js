// The head of the open conversation: its code, whose it is and how it stands, and what can be done with it.

import { Keyed, arrange, el, fill, icon } from "./dom.js";
import { waiting } from "./sessions.js";
import { ago, moment } from "./times.js";
import { languageName, t } from "./words.js";

export class Head {
  /** `acts` by the action's name; `names` {nameOf, topicName}; `me` is who looks: {id, promise}. */
  constructor({ me, names, acts, onBack, onDetails }) {
    Object.assign(this, { me, names, acts });
    const side = (kind, label, onclick) => ({ type: "button", class: `icon-button ${kind}`, "aria-label": t(label), onclick });
    this.title = el("div", { class: "thread-title" });
    this.actions = el("div", { class: "actions" });
    // A button stays the same node while it says the same: between press and release it must not be another one.
    this.buttons = new Keyed(({ name, kind }) =>
      el("button", { type: "button", class: `button ${kind}`, data: { action: name }, onclick: () => this.acts[name](this.row) }, t(`action.${name}`)),
    );
    this.node = el(
      "header",
      { class: "thread-head" },
      el("button", side("back", "thread.back", onBack), icon("back")),
      this.title,
      this.actions,
      el("button", side("details", "thread.details", onDetails), icon("details")),
    );
  }

  show(row, card) {
    this.row = row;
    fill(
      this.title,
      el("h1", {}, el("span", { class: "code" }, row.code), " ", el("span", { dir: "auto" }, card.name || t("row.visitor"))),
      this.about(row, card),
    );
    const focused = this.actions.contains(document.activeElement) && document.activeElement.dataset.action;
    const buttons = offered(row, this.me.id).map((name, place) => ({ key: name, name, kind: place ? "" : "primary" }));
    arrange(this.actions, this.buttons.nodes(buttons));
    if (focused && !this.actions.contains(document.activeElement)) this.actions.querySelector(`[data-action="${focused}"]`)?.focus();
  }

  about(row, card) {
    const { nameOf, topicName } = this.names;
    const holder = row.assignee === this.me.id ? t("state.assigned_you") : t("state.assigned", { name: nameOf(row.assignee) });
    const state = row.state === "assigned" ? holder : t(`state.${row.state}`);
    const wait = waiting(row, this.me.promise);
    return el(
      "p",
      { class: "thread-about" },
      [languageName(row.language), topicName(row.topic), state, presence(row, card)].filter(Boolean).join(" · "),
      wait.text && el("span", { class: `wait ${wait.level}` }, wait.said),
    );
  }
}

function presence(row, card) {
  if (row.state === "closed") return "";
  if (row.presence === "gone") return t("presence.gone", { ago: ago(card.presence_since) });
  return t(`presence.${row.presence}`, { time: moment(card.presence_since) });
}

/** What can be done, the next likely action first. `me` is who looks. */
function offered(row, me) {
  const escalate = row.escalation ? [] : ["escalate"];
  if (row.state === "closed") return [];
  if (row.state === "resolved") return ["reopen", "transfer"];
  if (row.offer?.operator === me) return ["accept", "decline", "transfer", ...escalate];
  if (row.state === "queued") return ["claim", "hold", "transfer", "resolve", ...escalate];
  if (row.unattended && row.assignee !== me) return ["claim", "resolve", "hold", "transfer", ...escalate];
  return ["resolve", "hold", "transfer", ...(row.assignee === me ? ["release"] : []), ...escalate];
}
