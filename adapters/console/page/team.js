// For leads: who is on and why, what they hold, how much of it is near its promise or past it; and moving it in bulk.

import { ask, newId, tell } from "./api.js";
import { wording } from "./dialogs.js";
import { el, fill, icon } from "./dom.js";
import { waiting } from "./sessions.js";
import { explained } from "./standing.js";
import { clock, now, setClock } from "./times.js";
import { knows, languageName, pick, t } from "./words.js";

const EVERY = 10_000; // ms between two looks while nothing is heard
const SOON = 1_000;

export class Team {
  /** `desks` are all desks; `onBack` leaves the view. */
  constructor({ names, promise, desks, onBack }) {
    Object.assign(this, { names, promise, desks });
    this.chosen = new Set();
    this.sum = el("p", { class: "view-about", role: "status" });
    this.problem = el("p", { class: "problem", role: "alert", hidden: true });
    this.results = el("div", { class: "results", role: "status", hidden: true });
    this.body = el("div", { class: "members" }, el("p", { class: "hint" }, t("thread.loading")));
    this.bar = el("form", { class: "bulk", hidden: true, onsubmit: (event) => this.move(event) });
    const back = el("button", { type: "button", class: "icon-button back", "aria-label": t("thread.back"), onclick: onBack }, icon("back"));
    this.node = el(
      "section",
      { class: "view", "aria-label": t("team.title") },
      el("header", { class: "view-head" }, back, el("div", {}, el("h1", {}, t("team.title")), this.sum)),
      el("div", { class: "view-body" }, this.problem, this.results, this.body),
      this.bar,
    );
  }

  start() {
    this.refresh();
    this.ticking = setInterval(() => this.refresh(), EVERY);
  }

  stop() {
    clearInterval(this.ticking);
    clearTimeout(this.soon);
  }

  /** Something has changed: look again, once for all that changes within a second. */
  changed() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.refresh(), SOON);
  }

  async refresh() {
    try {
      const answer = await ask("team");
      setClock(answer.now);
      this.show(answer);
      this.problem.hidden = true;
    } catch (error) {
      this.problem.textContent = wording(error);
      this.problem.hidden = false;
    }
  }

  show({ team, waiting: line, more }) {
    this.team = team;
    this.rows = new Map([...line, ...team.flatMap((one) => one.sessions)].map((row) => [row.session, row]));
    for (const session of this.chosen) if (!this.rows.has(session)) this.chosen.delete(session);
    const focused = document.activeElement?.dataset?.focus;
    const top = this.body.scrollTop;
    fill(this.body, this.waitingGroup(line, more), ...sorted(team).map((one) => this.member(one)));
    this.body.scrollTop = top;
    if (focused) this.body.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
    this.sum.textContent = t("team.sum", figures(team, line));
    this.drawBar();
  }

  // ---------------------------------------------------------------- who

  waitingGroup(rows, more) {
    const levels = rows.map((row) => level(row));
    const figures = [figure(rows.length, "team.waiting"), figure(count(levels, (one) => one === "near"), "team.near", "near"), figure(count(levels, (one) => one === "past"), "team.past", "past")];
    const rest = more && el("p", { class: "hint" }, t("team.more"));
    return el("section", { class: "member line", "aria-label": t("team.line") }, this.memberHead(rows, "line", [el("h2", {}, t("team.line")), el("p", { class: "figures" }, figures)]), this.held(rows), rest);
  }

  member(one) {
    const state = one.standing ? explained(one.standing) : t("standing.because.nothing");
    const badge = el("span", { class: `state-badge ${one.standing?.on ? "on" : "away"}` }, t(one.standing?.on ? "team.on" : "team.away"));
    const since = one.standing?.since ? t("team.since", { time: clock(one.standing.since) }) : "";
    const figures = [
      figure(one.capacity === null ? one.load : `${one.load} / ${one.capacity}`, "team.load", one.capacity !== null && one.load >= one.capacity ? "full" : ""),
      one.offered > 0 && figure(one.offered, "team.offered"),
      figure(one.owed, "team.owed"),
      figure(one.near, "team.near", "near"),
      figure(one.past, "team.past", "past"),
    ];
    const name = this.names.nameOf(one.id);
    const about = [since, state, one.here && t("team.page_open")].filter(Boolean).join(" · ");
    const head = [el("h2", { dir: "auto" }, name, " ", badge), el("p", { class: "hint" }, about), el("p", { class: "figures" }, figures)];
    return el("section", { class: `member ${one.standing?.on ? "on" : "away"}`, "aria-label": name }, this.memberHead(one.sessions, one.id, head), this.held(one.sessions));
  }

  memberHead(rows, id, content) {
    const all = rows.length > 0 && rows.every((row) => this.chosen.has(row.session));
    const box = { type: "checkbox", "aria-label": t("team.choose_all"), checked: all, disabled: !rows.length, data: { focus: `all ${id}` }, onchange: (event) => this.choose(rows, event.target.checked) };
    return el("header", { class: "member-head" }, el("input", box), el("div", {}, content));
  }

  held(rows) {
    return el("ul", { class: "member-rows" }, rows.map((row) => this.row(row)));
  }

  row(row) {
    const wait = waiting(row, this.promise);
    const box = { type: "checkbox", checked: this.chosen.has(row.session), data: { focus: row.session }, onchange: (event) => this.choose([row], event.target.checked) };
    const [language, desk] = [languageName(row.language), this.names.deskName(row.desk)];
    const about = [row.emergency && t("row.emergency"), language, this.names.topicName(row.topic), desk !== language && desk].filter(Boolean).join(" · ");
    return el(
      "li",
      {},
      el("label", { class: "member-row" }, el("input", box), el("span", { class: "code" }, row.code), el("span", { class: "row-name", dir: "auto" }, row.name || t("row.visitor")), el("span", { class: "row-about" }, about), wait.text && el("span", { class: `wait ${wait.level}` }, el("span", { "aria-hidden": "true" }, wait.text), el("span", { class: "sr" }, wait.said))),
      el("a", { href: `#${row.code}`, class: "open-link" }, t("team.open")),
    );
  }

  // ---------------------------------------------------------------- moving

  choose(rows, chosen) {
    for (const row of rows) chosen ? this.chosen.add(row.session) : this.chosen.delete(row.session);
    for (const box of this.body.querySelectorAll("input[type=checkbox][data-focus]")) {
      if (this.rows.has(box.dataset.focus)) box.checked = this.chosen.has(box.dataset.focus);
    }
    this.drawBar();
  }

  drawBar() {
    this.bar.hidden = !this.chosen.size;
    if (!this.chosen.size) return;
    const kept = { desk: this.desk?.value ?? "", operator: this.operator?.value ?? "" };
    const opened = this.bar.contains(document.activeElement) && document.activeElement.tagName === "SELECT";
    if (!opened) this.fillBar(kept);
    this.count.textContent = t("team.chosen", { count: this.chosen.size });
  }

  fillBar(kept) {
    this.count = el("p", { class: "bulk-count" });
    this.desk = el("select", { "aria-label": t("transfer.desk"), onchange: () => this.fillOperators(this.operator.value) }, el("option", { value: "" }, t("team.same_desk")), this.desks.map((desk) => el("option", { value: desk.id }, pick(desk.titles, desk.id))));
    this.operator = el("select", { "aria-label": t("transfer.operator") });
    this.desk.value = kept.desk;
    this.fillOperators(kept.operator);
    const clear = el("button", { type: "button", class: "button", onclick: () => this.choose([...this.rows.values()], false) }, t("action.cancel"));
    fill(this.bar, this.count, this.desk, this.operator, el("button", { type: "submit", class: "button primary" }, t("team.move")), clear);
  }

  fillOperators(chosen) {
    const wanted = this.desk.value;
    const able = sorted(this.team).filter((one) => one.capacity !== null && (!wanted || !one.desks.length || one.desks.includes(wanted)));
    const label = (one) => t(one.standing?.on ? "team.option" : "team.option_away", { name: this.names.nameOf(one.id), load: one.load, capacity: one.capacity });
    fill(this.operator, el("option", { value: "" }, t("team.to_line")), ...able.map((one) => el("option", { value: one.id }, label(one))));
    this.operator.value = able.some((one) => one.id === chosen) ? chosen : "";
  }

  async move(event) {
    event.preventDefault();
    const button = event.submitter;
    button.disabled = true;
    try {
      const fields = { id: newId(), sessions: [...this.chosen], desk: this.desk.value || null, operator: this.operator.value || null };
      const { results } = await tell("team/reassign", fields);
      this.tellResults(results);
      for (const one of results) if (!one.refused) this.chosen.delete(one.session);
      await this.refresh();
    } catch (error) {
      this.problem.textContent = wording(error);
      this.problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  }

  tellResults(results) {
    const done = results.filter((one) => !one.refused);
    const refused = results.filter((one) => one.refused);
    const why = (one) => (one.refused === "at_capacity" ? t("team.at_capacity") : knows(`error.${one.refused}`) ? t(`error.${one.refused}`) : t("error.unknown"));
    this.results.hidden = false;
    fill(
      this.results,
      el("p", {}, t("team.moved", { count: done.length, codes: done.map((one) => one.code).join(", ") })),
      refused.length > 0 && el("ul", {}, refused.map((one) => el("li", { class: "problem" }, el("span", { class: "code" }, one.code), ` ${why(one)}`))),
      el("button", { type: "button", class: "link-button", onclick: () => (this.results.hidden = true) }, t("action.done")),
    );
  }
}

function figure(value, key, kind = "") {
  const empty = value === 0 || value === "0";
  return el("span", { class: `figure ${empty ? "none" : kind}` }, el("b", {}, String(value)), " ", t(key));
}

/** Whoever is late comes first, then who is on; by name where all is alike. */
function sorted(team) {
  const weight = (one) => [-one.past, -one.near, one.standing?.on ? 0 : 1, -one.load];
  return [...team].sort((one, other) => {
    const [a, b] = [weight(one), weight(other)];
    const place = a.findIndex((value, index) => value !== b[index]);
    return place < 0 ? one.id.localeCompare(other.id) : a[place] - b[place];
  });
}

function level(row) {
  if (row.past_at !== null && row.past_at <= now()) return "past";
  return row.near_at !== null && row.near_at <= now() ? "near" : "";
}

/** The whole team in figures: who waits for anybody is late as much as who waits for somebody. */
function figures(team, line) {
  const late = (wanted) => sum(team, wanted) + count(line, (row) => level(row) === wanted);
  return { on: count(team, (one) => one.standing?.on), held: sum(team, "load"), near: late("near"), past: late("past"), waiting: line.length };
}

function count(some, holds) {
  return some.filter(holds).length;
}

function sum(team, name) {
  return team.reduce((total, one) => total + one[name], 0);
}
