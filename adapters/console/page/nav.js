// The left column: my lists, the desks, and everything about oneself.

import { el } from "./dom.js";
import { tongues } from "./signin.js";
import { t } from "./words.js";

export const LISTS = ["waiting", "mine", "all", "closed"];

export class Nav {
  constructor({ desks, deskName, me, myName, standing, onChoose, onTeam, onIncidents, onSignOut, onNames, onKeys, redraw }) {
    Object.assign(this, { desks: desks.filter((desk) => desk.mine), deskName, onChoose });
    this.lists = new Map(LISTS.map((list) => [list, this.item(t(`list.${list}`), () => onChoose({ list }))]));
    this.byDesk = new Map([["", t("nav.every_desk")], ...this.desks.map((desk) => [desk.id, deskName(desk.id)])].map(([id, name]) => [id, this.item(name, () => onChoose({ desk: id }))]));
    this.team = me.lead && this.item(t("team.title"), onTeam);
    this.incidents = this.item(t("incidents.title"), onIncidents);
    const quiet = (label, act) => el("button", { type: "button", class: "quiet", onclick: act }, label);
    this.node = el(
      "nav",
      { class: "nav", "aria-label": t("nav.open") },
      el("p", { class: "brand" }, el("img", { src: "page/icon.svg", alt: "", width: "22", height: "22" }), `${t("product")} ${t("title")}`),
      section(t("nav.lists"), [...this.lists.values()]),
      section(t("nav.desks"), [...this.byDesk.values()]),
      section(t("nav.views"), [this.team, this.incidents].filter(Boolean)),
      el(
        "div",
        { class: "nav-foot" },
        el("p", { class: "who", dir: "auto" }, myName),
        standing,
        quiet(t("me.names"), onNames),
        quiet(t("me.keys"), onKeys),
        quiet(t("me.sign_out"), onSignOut),
        tongues(redraw),
      ),
    );
  }

  item(label, act) {
    const count = el("span", { class: "count" });
    const button = el("button", { type: "button", class: "nav-item", onclick: act }, el("span", {}, label), count);
    return { button, count };
  }

  /** `view`: "team" or "incidents" in place of a conversation; `broken`: how many incidents there are now. */
  show({ counts, list, desk, view, broken }) {
    const chosen = Object.entries(counts).filter(([id]) => !desk || id === desk);
    const sum = (name) => chosen.reduce((total, [, count]) => total + count[name], 0);
    for (const [name, item] of this.lists) {
      mark(item, name === list);
      item.count.textContent = name === "closed" ? "" : String(sum(name) || "");
    }
    for (const [id, item] of this.byDesk) {
      mark(item, id === (desk ?? ""));
      const waits = id ? (counts[id]?.waiting ?? 0) : Object.values(counts).reduce((total, count) => total + count.waiting, 0);
      item.count.textContent = String(waits || "");
    }
    if (this.team) mark(this.team, view === "team");
    mark(this.incidents, view === "incidents");
    this.incidents.count.textContent = String(broken || "");
    this.incidents.button.classList.toggle("broken", broken > 0);
  }
}

function mark(item, current) {
  if (current) item.button.setAttribute("aria-current", "true");
  else item.button.removeAttribute("aria-current");
}

function section(title, items) {
  return el("section", {}, title && el("h2", {}, title), el("ul", {}, items.map((item) => el("li", {}, item.button))));
}
