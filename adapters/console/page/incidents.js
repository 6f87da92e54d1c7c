// Incidents: what is broken, what customers are told of it, and one word to everybody in it.
//
// Nothing reaches a customer from here that was not shown first: what is written is previewed in each language, and any
// change of it takes the preview away again.

import { Refused, ask, newId, tell } from "./api.js";
import { wording } from "./dialogs.js";
import { el, fill, icon } from "./dom.js";
import { select, ticks, wordFields } from "./fields.js";
import { waiting } from "./sessions.js";
import { moment, now, setClock } from "./times.js";
import { LANGUAGES, knows, languageName, pick, t } from "./words.js";

const EVERY = 10_000; // ms
const WHILE_SENDING = 700;
const MINUTE = 60_000;
const SINCE = [0, 15, 60, 240, 1440]; // minutes back

export class Incidents {
  /** `lead`: may declare, tell and end. `open(id)` goes to one of them; `""` to all. */
  constructor({ names, promise, desks, topics, lead, onBack }) {
    Object.assign(this, { names, promise, desks, topics, lead });
    const back = el("button", { type: "button", class: "icon-button back", "aria-label": t("thread.back"), onclick: onBack }, icon("back"));
    this.title = el("h1", {}, t("incidents.title"));
    this.about = el("p", { class: "view-about" });
    this.problem = el("p", { class: "problem", role: "alert", hidden: true });
    this.body = el("div", { class: "incident-body" });
    this.node = el("section", { class: "view", "aria-label": t("incidents.title") }, el("header", { class: "view-head" }, back, el("div", {}, this.title, this.about)), el("div", { class: "view-body" }, this.problem, this.body));
  }

  start(id) {
    this.id = id;
    fill(this.body, el("p", { class: "hint" }, t("thread.loading")));
    this.drawn = null;
    this.refresh();
  }

  stop() {
    this.id = null;
    clearTimeout(this.again);
  }

  changed() {
    if (this.id !== null) this.refresh();
  }

  async refresh() {
    const id = this.id;
    clearTimeout(this.again);
    try {
      const answer = await ask(id ? `incidents/${encodeURIComponent(id)}` : "incidents");
      if (this.id !== id) return;
      if (answer.now) setClock(answer.now);
      if (id) this.showOne(answer);
      else this.showAll(answer);
      this.problem.hidden = true;
    } catch (error) {
      this.complain(error);
    }
    if (this.id === id) this.again = setTimeout(() => this.refresh(), this.sending ? WHILE_SENDING : EVERY);
  }

  complain(error) {
    this.problem.textContent = wording(error);
    this.problem.hidden = false;
    this.problem.scrollIntoView({ block: "nearest" });
  }

  // ---------------------------------------------------------------- all of them

  showAll({ incidents, limits }) {
    this.limits = limits;
    this.sending = false;
    this.title.textContent = t("incidents.title");
    const current = incidents.filter((one) => !one.ended_at);
    this.about.textContent = current.length ? t("incidents.current", { count: current.length }) : t("incidents.none");
    if (this.drawn !== "all") {
      this.list = el("ul", { class: "incident-list" });
      fill(this.body, this.list, this.lead ? this.declaration() : el("p", { class: "hint" }, t("incidents.leads")));
      this.drawn = "all";
    }
    fill(this.list, ...incidents.map((one) => this.listed(one)));
  }

  listed(one) {
    const time = one.ended_at ? t("incidents.ended", { time: moment(one.ended_at) }) : t("incidents.since", { time: moment(one.since) });
    return el("li", {}, el("a", { href: `#/incidents/${one.id}`, class: `incident-link${one.ended_at ? " over" : ""}` }, el("span", { class: "code" }, one.id), el("span", { dir: "auto" }, pick(one.titles)), el("span", { class: "hint" }, time)));
  }

  // ---------------------------------------------------------------- declaring

  declaration() {
    const changed = () => this.unpreview(form);
    const titles = wordFields({ legend: t("incidents.titles"), hint: t("incidents.titles_hint"), limit: this.limits.title, onChange: changed });
    const banners = wordFields({ legend: t("incidents.banners"), hint: t("incidents.banners_hint"), limit: this.limits.banner, lines: 2, onChange: changed });
    const scope = this.scopeFields(changed);
    const preview = el("div", { class: "preview", role: "status", hidden: true });
    const form = el(
      "form",
      { class: "incident-form", onsubmit: (event) => this.previewDeclaration(event, form) },
      el("h2", {}, t("incidents.declare")),
      titles.node,
      el("details", {}, el("summary", {}, t("incidents.more_words")), banners.node),
      scope.node,
      preview,
      this.foot(t("incidents.preview")),
    );
    form.read = () => ({ titles: titles.read(), banners: banners.read(), scope: scope.read() });
    form.preview = preview;
    return form;
  }

  scopeFields(onChange) {
    const mode = select(t("incidents.scope"), [["hand", t("incidents.by_hand")], ["scope", t("incidents.by_scope")]], "hand", () => (show(), onChange()));
    const desks = ticks(t("nav.desks"), this.desks.map((one) => [one.id, pick(one.titles, one.id)]), onChange);
    const topics = ticks(t("card.topic"), Object.entries(this.topics).map(([id, titles]) => [id, pick(titles, id)]), onChange);
    const since = select(t("incidents.opened_since"), SINCE.map((minutes) => [String(minutes), lately(minutes)]), "60", onChange);
    const on = el("input", { type: "checkbox", checked: true, onchange: onChange });
    const inner = el("div", { class: "scope", hidden: true }, desks.node, topics.node, since.node, el("label", { class: "tick" }, on, el("span", {}, t("incidents.and_who_comes"))), el("p", { class: "hint" }, t("incidents.scope_hint")));
    const show = () => (inner.hidden = mode.read() !== "scope");
    const read = () => {
      if (mode.read() !== "scope") return null;
      const minutes = Number(since.read());
      return { desks: desks.read(), topics: topics.read(), since: minutes ? Math.round(now() - minutes * MINUTE) : 0, until: on.checked ? null : Math.round(now()) };
    };
    return { node: el("fieldset", { class: "scope-fields" }, el("legend", {}, t("incidents.which")), mode.node, inner), read };
  }

  async previewDeclaration(event, form) {
    event.preventDefault();
    const fields = form.read();
    const press = newId();
    const act = async () => {
      const answer = await tell("incidents/preview", { id: press, ...fields });
      const banner = LANGUAGES.map((tag) => bannerIn(tag, answer.titles, answer.banners));
      const linked = fields.scope ? t("incidents.would_link", { count: answer.linked.sessions }) : t("incidents.would_link_none");
      const confirm = () => this.declare({ id: press, incident: answer.incident, ...fields });
      this.preview(form, [el("h3", {}, t("incidents.banner_preview")), el("div", { class: "banners" }, banner), el("p", {}, linked)], t("incidents.confirm_declare"), confirm);
    };
    await this.busy(event.submitter, act);
  }

  async declare(fields) {
    const { incident } = await tell("incidents", fields);
    location.hash = `#/incidents/${incident.id}`;
  }

  // ---------------------------------------------------------------- one of them

  showOne(answer) {
    const { incident, linked } = answer;
    this.answer = answer;
    this.sending = answer.broadcasts.some((one) => !one.finished_at);
    fill(this.title, el("span", { class: "code" }, incident.id), " ", el("span", { dir: "auto" }, pick(incident.titles)));
    const time = incident.ended_at ? t("incidents.ended", { time: moment(incident.ended_at) }) : t("incidents.since", { time: moment(incident.since) });
    this.about.textContent = [time, t("incidents.by", { name: this.names.nameOf(incident.by) }), t("incidents.linked", { count: linked })].join(" · ");
    if (this.drawn !== incident.id) this.buildOne(incident);
    this.over(Boolean(incident.ended_at));
    fill(this.rows, ...this.linkedRows(answer));
    fill(this.said, ...answer.broadcasts.map((one) => this.broadcast(one)));
    this.saidTitle.hidden = !answer.broadcasts.length;
  }

  buildOne(incident) {
    this.rows = el("ul", { class: "member-rows" });
    this.said = el("ol", { class: "broadcasts" });
    this.saidTitle = el("h2", {}, t("incidents.said"));
    this.banner = el("div", { class: "banners" }, LANGUAGES.map((tag) => bannerIn(tag, incident.titles, incident.banners)));
    this.update = this.lead && this.broadcastForm("update");
    this.resolve = this.lead && this.broadcastForm("resolve");
    this.linking = this.lead && this.linkForm();
    const all = el("a", { href: "#/incidents", class: "link-button" }, t("incidents.all"));
    fill(
      this.body,
      all,
      el("details", { class: "shown" }, el("summary", {}, t("incidents.shown")), this.banner),
      ...[this.update, this.resolve].filter(Boolean),
      this.saidTitle,
      this.said,
      el("h2", {}, t("incidents.sessions")),
      this.rows,
      ...[this.linking, this.lead && this.ending()].filter(Boolean),
    );
    this.drawn = incident.id;
  }

  /** An incident that is over links nobody and needs no end; its sessions may still be told and resolved. */
  over(ended) {
    for (const part of [this.linking, this.endButton]) if (part) part.hidden = ended;
  }

  linkedRows({ rows, linked }) {
    if (!linked) return [el("li", { class: "hint" }, t("incidents.nobody"))];
    const rest = linked > rows.length ? [el("li", { class: "hint" }, t("incidents.others", { count: linked - rows.length }))] : [];
    return [...rows.map((row) => this.linkedRow(row)), ...rest];
  }

  linkedRow(row) {
    const wait = waiting(row, this.promise);
    const state = row.state === "assigned" ? t("state.assigned", { name: this.names.nameOf(row.assignee) }) : t(`state.${row.state}`);
    const out = el("button", { type: "button", class: "link-button", onclick: (event) => this.busy(event.target, () => this.takeOut(row)) }, t("incidents.take_out"));
    return el(
      "li",
      {},
      el("a", { class: "member-row", href: `#${row.code}` }, el("span", { class: "code" }, row.code), el("span", { class: "row-name", dir: "auto" }, row.name || t("row.visitor")), el("span", { class: "row-about" }, [languageName(row.language), this.names.topicName(row.topic), state].join(" · ")), wait.text && el("span", { class: `wait ${wait.level}` }, wait.text)),
      out,
    );
  }

  async takeOut(row) {
    await tell(`sessions/${encodeURIComponent(row.session)}/incident`, { id: newId(), incident: null });
    await this.refresh();
  }

  // ---------------------------------------------------------------- one word to all

  broadcastForm(kind) {
    const resolves = kind === "resolve";
    const changed = () => this.unpreview(form);
    const words = wordFields({ legend: t(resolves ? "incidents.last_words" : "incidents.update_words"), hint: t("incidents.update_hint"), limit: this.limitOf("text"), lines: 3, onChange: changed });
    const outcome = resolves && select(t("incidents.outcome"), ["solved", "unsolved"].map((one) => [one, t(`outcome.${one}`)]), "solved", changed);
    const ends = el("input", { type: "checkbox", checked: true, onchange: changed });
    const form = el(
      "form",
      { class: "incident-form", onsubmit: (event) => this.previewBroadcast(event, form, resolves) },
      words.node,
      outcome && outcome.node,
      resolves && el("label", { class: "tick" }, ends, el("span", {}, t("incidents.ends_too"))),
    );
    form.preview = el("div", { class: "preview", role: "status", hidden: true });
    form.append(form.preview, this.foot(t("incidents.preview")));
    form.read = () => ({ words: words.read(), outcome: outcome ? outcome.read() : null, ends: resolves && ends.checked });
    return el("details", { class: "deed" }, el("summary", {}, t(resolves ? "incidents.resolve_all" : "incidents.update_all")), form);
  }

  async previewBroadcast(event, form, resolves) {
    event.preventDefault();
    const fields = form.read();
    const act = async () => {
      const { sessions, open, readings } = await tell(`incidents/${encodeURIComponent(this.id)}/preview`, { words: fields.words });
      if (!resolves && !Object.keys(fields.words).length) throw new Refused("empty");
      const table = el("ul", { class: "readings" }, readings.map(reading));
      const total = resolves ? t("incidents.would_resolve", { count: open }) : t("incidents.would_tell", { count: sessions });
      const label = resolves ? t("incidents.confirm_resolve", { count: open }) : t("incidents.confirm_update", { count: sessions });
      const press = newId(); // one preview is one broadcast, however often its button is pressed
      const confirm = sessions && (() => this.send(form, { id: press, ...fields }));
      this.preview(form, [el("p", {}, total), Object.keys(fields.words).length > 0 && table], label, confirm);
    };
    await this.busy(event.submitter, act);
  }

  async send(form, fields) {
    await tell(`incidents/${encodeURIComponent(this.id)}/broadcast`, fields);
    for (const input of form.querySelectorAll("textarea")) input.value = "";
    this.unpreview(form);
    form.closest("details").open = false;
    await this.refresh();
  }

  broadcast(one) {
    const done = one.finished_at ? t("incidents.done", { time: moment(one.finished_at), count: one.done }) : t("incidents.under_way", { done: one.done, total: one.total });
    const kind = one.outcome ? t("incidents.kind_resolve", { outcome: t(`outcome.${one.outcome}`) }) : t("incidents.kind_update");
    const failures = one.failures.map((failure) => el("li", { class: "problem" }, el("a", { href: `#${failure.code}`, class: "code" }, failure.code), ` ${knows(`error.${failure.reason}`) ? t(`error.${failure.reason}`) : t("error.unknown")}`));
    return el(
      "li",
      { class: "broadcast" },
      el("p", {}, el("b", {}, kind), " ", el("span", { class: "hint" }, [this.names.nameOf(one.by), moment(one.at), done].join(" · "))),
      !one.finished_at && el("progress", { max: String(one.total || 1), value: String(one.done), "aria-label": done }),
      pick(one.words) && el("p", { class: "quote", dir: "auto" }, pick(one.words)),
      one.failed > 0 && el("p", { class: "problem" }, t("incidents.failed", { count: one.failed })),
      failures.length > 0 && el("ul", {}, failures),
    );
  }

  // ---------------------------------------------------------------- linking, ending

  linkForm() {
    const scope = this.scopeFields(() => {});
    const code = el("input", { type: "text", maxlength: "8", autocapitalize: "characters", autocomplete: "off", spellcheck: "false" });
    const by = el(
      "form",
      { class: "incident-form", onsubmit: (event) => (event.preventDefault(), this.busy(event.submitter, () => this.link(scope.read(), code))) },
      scope.node,
      el("label", { class: "field code-field" }, t("incidents.code"), code),
      this.foot(t("incidents.link")),
    );
    code.closest("label").hidden = false;
    const show = () => (code.closest("label").hidden = scope.read() !== null);
    scope.node.addEventListener("change", show);
    return el("details", { class: "deed" }, el("summary", {}, t("incidents.link_more")), by);
  }

  async link(scope, code) {
    if (scope) {
      await tell(`incidents/${encodeURIComponent(this.id)}/link`, { id: newId(), scope });
    } else {
      const { rows } = await ask(`find?${new URLSearchParams({ code: code.value.trim() })}`);
      await tell(`sessions/${encodeURIComponent(rows[0].session)}/incident`, { id: newId(), incident: this.id });
      code.value = "";
    }
    await this.refresh();
  }

  ending() {
    const end = async () => {
      await tell(`incidents/${encodeURIComponent(this.id)}/end`, {});
      await this.refresh();
    };
    this.endButton = el("p", { class: "ending" }, el("button", { type: "button", class: "button", onclick: (event) => this.busy(event.target, end) }, t("incidents.end")), " ", el("span", { class: "hint" }, t("incidents.end_hint")));
    return this.endButton;
  }

  // ---------------------------------------------------------------- previews

  limitOf(name) {
    return this.limits?.[name] ?? 4000;
  }

  foot(label) {
    return el("div", { class: "form-foot" }, el("button", { type: "submit", class: "button" }, label));
  }

  preview(form, content, label, confirm) {
    const button = confirm && el("button", { type: "button", class: "button primary", onclick: (event) => this.busy(event.target, confirm) }, label);
    fill(form.preview, ...content.filter(Boolean), button || "");
    form.preview.hidden = false;
    form.preview.scrollIntoView({ block: "nearest" });
    button?.focus();
  }

  unpreview(form) {
    form.preview.hidden = true;
    form.preview.replaceChildren();
  }

  async busy(button, act) {
    if (button) button.disabled = true;
    try {
      this.problem.hidden = true;
      await act();
    } catch (error) {
      if (!error.code) throw error;
      this.complain(error);
    } finally {
      if (button) button.disabled = false;
    }
  }
}

/** The banner as a customer of this language sees it, and which words they get where there are none in it. */
function bannerIn(tag, titles, banners) {
  const used = usedFor(tag, titles);
  return el(
    "figure",
    { class: "banner-preview" },
    el("figcaption", {}, t(`language.${tag}`), used !== tag && used && el("span", { class: "hint" }, ` · ${t("incidents.uses", { language: languageName(used) })}`)),
    el("p", { class: "banner-title", lang: used, dir: "auto" }, titles[used] ?? ""),
    banners[usedFor(tag, banners)] && el("p", { lang: usedFor(tag, banners), dir: "auto" }, banners[usedFor(tag, banners)]),
  );
}

/** As the service chooses: theirs, the same language in another script, English, any. */
function usedFor(tag, words) {
  const base = tag.split("-")[0];
  const order = [tag, ...Object.keys(words).filter((one) => one.split("-")[0] === base), "en", ...Object.keys(words)];
  return order.find((one) => words[one]) ?? "";
}

function reading({ language, sessions, uses, text }) {
  return el(
    "li",
    {},
    el("p", { class: "hint" }, t("incidents.readers", { language: languageName(language), count: sessions }), uses && uses !== language ? ` · ${t("incidents.uses", { language: languageName(uses) })}` : ""),
    el("p", { class: "quote", lang: uses || null, dir: "auto" }, text || t("incidents.no_words")),
  );
}

/** How far back, in words. */
function lately(minutes) {
  if (!minutes) return t("incidents.any_time");
  return minutes < 60 ? t("incidents.minutes_ago", { count: minutes }) : t("incidents.hours_ago", { count: minutes / 60 });
}
