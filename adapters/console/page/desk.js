// The desk: what is chosen, what is open, and which part of the page shows it.

import { ask, newId, tell } from "./api.js";
import { Attention } from "./attention.js";
import { Card } from "./card.js";
import { Changes } from "./changes.js";
import { Composer } from "./composer.js";
import { askHold, askIncident, askPurge, askResolve, askTransfer, nameFields, show, wording } from "./dialogs.js";
import { el, fill, icon } from "./dom.js";
import { Head } from "./head.js";
import { Incidents } from "./incidents.js";
import { Kept } from "./kept.js";
import { listen, showHelp } from "./keys.js";
import { Live } from "./live.js";
import { LISTS, Nav } from "./nav.js";
import { Handover } from "./handover.js";
import { Held } from "./held.js";
import { Offers } from "./offers.js";
import { Outbox } from "./outbox.js";
import { Sessions } from "./sessions.js";
import { firstNames, signIn, useLink } from "./signin.js";
import { Standing } from "./standing.js";
import { Team } from "./team.js";
import { askTemplate } from "./templates.js";
import { Thread, titled } from "./thread.js";
import { moment, setClock } from "./times.js";
import { pick, speak, t } from "./words.js";

const WRITING_FOR = 6_000; // ms that "is writing" holds after the last key
const TICK = 15_000;
const PEOPLE_EVERY = 10_000; // ms
const CODE = /^#([0-9A-Za-z]{4,8})(?:\/([0-9A-Za-z_-]{1,64}))?$/; // a session, and perhaps one of its files
const VIEW = /^#\/(team|incidents)(?:\/([0-9A-Za-z-]{1,20}))?$/;
const root = document.getElementById("root");

class Desk {
  constructor(me) {
    setClock(me.now);
    Object.assign(this, { me, id: me.operator.id, list: "waiting", desk: "", more: false, counts: {} });
    this.rows = new Map();
    this.offered = new Map();
    this.broken = me.incidents;
    this.outages = [];
    this.writing = new Map();
    this.kept = new Kept(this.id);
    this.people = new Map(me.people.map((one) => [one.id, one]));
    this.names = {
      nameOf: (id) => this.nameOf(id),
      deskName: (id) => titled(me.desks.find((desk) => desk.id === id)?.titles, id),
      topicName: (id) => titled(me.topics[id], id),
      incidentName: (id) => this.incidentName(id),
    };
    this.build();
    this.outbox = new Outbox(this.kept, {
      onChange: (session) => this.outboxChanged(session),
      onSent: (session, answer) => this.answered(session, answer),
    });
    this.live = new Live({
      onFrame: (frame) => this.heard(frame),
      onState: (state) => this.connection(state),
      onSignedOut: () => window.dispatchEvent(new CustomEvent("signed-out")),
    });
    this.unlisten = listen(this.keys());
    this.timer = setInterval(() => this.tick(), TICK);
    this.onHash = () => this.follow();
    this.onLeave = () => this.composer.keep();
    this.onLook = () => this.looked();
    this.onLine = () => this.lineChanged();
    window.addEventListener("hashchange", this.onHash);
    window.addEventListener("pagehide", this.onLeave);
    window.addEventListener("online", this.onLine);
    window.addEventListener("offline", this.onLine);
    document.addEventListener("visibilitychange", this.onLook);
    this.load();
    this.follow();
  }

  stop() {
    this.standing.stop();
    this.offers.stop();
    this.handover.stop();
    this.leaveView();
    this.composer.keep();
    this.live.stop();
    this.outbox.stop();
    this.unlisten();
    clearInterval(this.timer);
    clearTimeout(this.saying);
    window.removeEventListener("hashchange", this.onHash);
    window.removeEventListener("pagehide", this.onLeave);
    window.removeEventListener("online", this.onLine);
    window.removeEventListener("offline", this.onLine);
    document.removeEventListener("visibilitychange", this.onLook);
  }

  // ---------------------------------------------------------------- the parts

  build() {
    const { names, me } = this;
    this.standing = new Standing({ standing: me.standing, onProblem: (error) => this.say(error) });
    this.nav = new Nav({
      standing: this.standing.node,
      desks: me.desks,
      deskName: names.deskName,
      me: me.operator,
      myName: this.nameOf(this.id),
      onChoose: (choice) => this.choose(choice),
      onTeam: () => (location.hash = "#/team"),
      onIncidents: () => (location.hash = "#/incidents"),
      onSignOut: () => this.askToSignOut(),
      onNames: () => this.changeNames(),
      onKeys: showHelp,
      redraw: () => restart(),
    });
    this.sessions = new Sessions({
      names,
      promise: me.promise,
      onLookUp: (code) => this.lookUp(code),
      unreadOf: (row) => this.unread(row),
    });
    const changes = new Changes({
      me: me.operator.id,
      within: me.revise_within,
      nameOf: names.nameOf,
      act: (what, fields) => this.act(what, fields),
      attempt: (what, fields) => this.try(what, fields),
    });
    this.thread = new Thread({
      ...names,
      changes,
      onRetry: (id) => this.outbox.retry(id),
      onTakeBack: (id) => this.composer.takeBack(this.outbox.takeBack(id)),
      onOlder: () => this.showOlder(),
      mayPurge: () => this.state && (me.operator.lead || this.state.row.assignee === this.id),
      onPurge: (file) => askPurge((fields) => this.purge(file, fields)),
    });
    this.held = new Held({
      nameOf: names.nameOf,
      act: (what, fields) => this.try(what, fields),
      content: (parts) => this.thread.words(parts),
      onNone: () => this.place.focus(),
    });
    this.offers = new Offers({ names, promise: me.promise, onTake: (row) => this.accept(row), onPass: (row) => this.decline(row) });
    this.handover = new Handover({ names, kept: this.kept });
    this.head = new Head({
      me: { id: this.id, promise: me.promise },
      names,
      acts: {
        accept: (row) => this.accept(row),
        decline: (row) => this.decline(row),
        claim: () => this.claim(),
        reopen: () => this.claim(),
        hold: () => this.hold(),
        transfer: () => this.transfer(),
        resolve: () => this.resolve(),
        release: () => this.try("release"),
        escalate: () => this.escalate(),
      },
      onBack: () => (location.hash = ""),
      onDetails: () => this.pane(root.dataset.pane === "card" ? "thread" : "card"),
    });
    this.attention = new Attention({ names, acts: { acknowledge: () => this.acknowledge(), check: () => this.check() } });
    this.views = {
      team: me.operator.lead && new Team({ names, promise: me.promise, desks: me.desks, onBack: () => (location.hash = "") }),
      incidents: new Incidents({ names, promise: me.promise, desks: me.desks, topics: me.topics, lead: me.operator.lead, onBack: () => (location.hash = "") }),
    };
    this.card = new Card({ ...names, acts: { check: () => this.check(), incident: () => this.incident() }, onClose: () => this.pane("thread") });
    this.composer = new Composer({
      kept: this.kept,
      limits: me.limits,
      onSend: (kind, parts, files) => this.outbox.add(this.open, kind, parts, files),
      onTyping: (kind) => this.tellTyping(kind),
      onTemplates: () => this.template(),
      onUndo: () => Boolean(this.state) && this.held.undo(),
    });
    this.bar = el("div", { class: "bar", role: "status", hidden: true });
    this.toast = el("div", { class: "toast", role: "alert", hidden: true });
    this.place = el("main", { class: "place", id: "conversation", tabindex: "-1" });
    this.lists = el(
      "div",
      { class: "lists" },
      el("button", { type: "button", class: "icon-button nav-open", "aria-label": t("nav.open"), onclick: () => this.pane("nav") }, icon("menu")),
      this.sessions.node,
    );
    this.sessions.node.querySelector(".rows-scroll").before(this.offers.node, this.handover.node);
    const skip = el("a", { class: "skip", href: "#conversation", onclick: (event) => (event.preventDefault(), this.place.focus()) }, t("skip"));
    fill(root, skip, this.bar, el("div", { class: "desk" }, this.nav.node, this.lists, this.place, this.card.node), this.toast);
    this.pane("list");
    this.drawPlace();
  }

  /** On a narrow screen one of nav, list, thread and card is in front. On a wide one `card` is a switch. */
  pane(name) {
    root.dataset.pane = name;
  }

  nameOf(id) {
    if (!id) return "";
    const person = this.people.get(id);
    if (!person) this.learnPeople();
    return person ? pick(person.names, person.account) || person.account : t("operator.unknown");
  }

  // ---------------------------------------------------------------- lists

  choose({ list = this.list, desk = this.desk }) {
    Object.assign(this, { list, desk });
    this.pane("list");
    this.rows.clear();
    this.load();
  }

  incidentName(id) {
    const known = this.broken.find((one) => one.id === id) ?? (this.state?.card.incident?.id === id ? this.state.card.incident : null);
    return known ? `${id} · ${pick(known.titles)}` : id;
  }

  async load() {
    const asked = { list: this.list, desk: this.desk };
    const meanwhile = (this.meanwhile = []); // what is heard before the answer is here may be newer than the answer
    this.showLists();
    this.loadOffers();
    try {
      const answer = await ask(`sessions?${new URLSearchParams(asked)}`);
      if (meanwhile !== this.meanwhile) return; // asked again since, and that answer counts
      this.meanwhile = null;
      setClock(answer.now);
      this.rows = new Map(answer.rows.map((row) => [row.session, row]));
      this.more = answer.more;
      this.counts = answer.counts;
      this.tellOutages(answer.outages);
      for (const frame of meanwhile) this.heardRows(frame);
      this.showLists();
    } catch (error) {
      this.say(error);
    }
  }

  async loadOffers() {
    const { rows } = await ask("offers").catch(() => ({ rows: [...this.offered.values()] }));
    this.offered = new Map(rows.map((row) => [row.session, row]));
    this.offers.show([...this.offered.values()]);
  }

  showLists() {
    this.nav.show({ counts: this.counts, list: this.list, desk: this.desk, view: this.view, broken: this.broken.length });
    const rows = [...this.rows.values()];
    this.sessions.show({ rows, list: this.list, open: this.open, more: this.more, writing: this.writers(), me: this.id, desk: this.desk });
    const waits = Object.values(this.counts).reduce((total, count) => total + count.waiting, 0);
    document.title = `${waits ? `(${waits}) ` : ""}${t("product")} ${t("title")}`;
  }

  belongs(row) {
    if (this.desk && row.desk !== this.desk) return false;
    const isOpen = row.state === "queued" || row.state === "assigned";
    if (this.list === "closed") return !isOpen;
    if (this.list === "mine") return isOpen && row.assignee === this.id;
    return isOpen && (this.list === "all" || row.assignee === null || row.unattended);
  }

  take(row) {
    this.takeOffer(row);
    const known = this.rows.get(row.session);
    if (known && known.head > row.head) return;
    if (this.belongs(row)) this.rows.set(row.session, row);
    else this.rows.delete(row.session);
  }

  takeOffer(row) {
    const mine = row.offer?.operator === this.id;
    const known = this.offered.get(row.session);
    if (!mine && !known) return;
    if (known && known.head > row.head) return;
    if (mine) this.offered.set(row.session, row);
    else this.offered.delete(row.session);
    this.offers.show([...this.offered.values()]);
  }

  /** Somebody whom this page does not know: an account made since it was opened, or an operator without one. */
  async learnPeople() {
    if (this.learning) return;
    this.learning = true;
    setTimeout(() => (this.learning = false), PEOPLE_EVERY);
    const { people } = await ask("me").catch(() => ({ people: [] }));
    const news = people.filter((one) => !this.people.has(one.id));
    for (const one of news) this.people.set(one.id, one);
    if (news.length) this.redraw();
  }

  redraw() {
    this.showLists();
    if (!this.state) return;
    this.drawHead();
    this.thread.forget();
    this.drawThread();
    this.held.signature = "";
    this.held.show(this.state.held);
  }

  unread(row) {
    if (row.session === this.open && document.visibilityState === "visible") return 0;
    const read = this.kept.readUpTo(row.session);
    if (read !== null) return row.incoming.filter((at) => at > read).length;
    return row.waiting_since === null ? 0 : row.incoming.filter((at) => at >= row.waiting_since).length;
  }

  async lookUp(code) {
    try {
      const { rows } = await ask(`find?${new URLSearchParams({ code })}`);
      this.sessions.clearSearch();
      location.hash = rows[0].code;
      this.place.focus();
    } catch (error) {
      this.say(error);
    }
  }

  // ---------------------------------------------------------------- the open conversation

  /** The address says which conversation is open. */
  async follow() {
    const [, view, about = ""] = VIEW.exec(location.hash) ?? [];
    this.leaveView();
    if (view && this.views[view]) return this.openView(view, about);
    const [, named, file] = CODE.exec(location.hash) ?? [];
    const code = named?.toUpperCase();
    if (!code) return this.leave();
    const known = [...this.rows.values()].find((row) => row.code === code);
    try {
      const row = known ?? (await ask(`find?${new URLSearchParams({ code })}`)).rows[0];
      await this.openSession(row.session);
      if (file) this.thread.point(file);
    } catch (error) {
      this.say(error);
    }
  }

  /** The team or the incidents, in place of a conversation. */
  openView(view, about) {
    this.leave();
    this.view = view;
    fill(this.place, this.views[view].node);
    root.dataset.view = view;
    this.views[view].start(about);
    this.pane("thread");
    this.showLists();
    this.place.focus();
  }

  leaveView() {
    if (this.view) this.views[this.view].stop();
    this.view = null;
    delete root.dataset.view;
  }

  leave() {
    Object.assign(this, { open: null, state: null });
    this.card.clear();
    this.thread.session = null;
    this.pane("list");
    this.drawPlace();
    this.showLists();
  }

  async openSession(session) {
    if (this.open !== session) {
      Object.assign(this, { open: session, state: null, extra: [] });
      this.card.clear();
      this.thread.session = null;
    }
    this.pane("thread");
    this.drawPlace();
    this.showLists();
    await this.refresh();
  }

  /** Read the open conversation anew. One reading at a time; what changes meanwhile is read after it. */
  async refresh() {
    const session = this.open;
    if (!session) return;
    if (this.reading) return void (this.again = true);
    this.reading = true;
    try {
      const state = await ask(`sessions/${encodeURIComponent(session)}`);
      setClock(state.now);
      if (session === this.open) this.showSession(state);
    } catch (error) {
      if (error.code !== "offline") this.say(error);
    } finally {
      this.reading = false;
      if (this.again || session !== this.open) {
        this.again = false;
        this.refresh();
      }
    }
  }

  showSession(state) {
    const first = !this.state || this.state.row.session !== state.row.session;
    this.state = state;
    this.take(state.row);
    if (first) this.drawPlace();
    const { row, card } = state;
    this.composer.open({ session: row.session, language: row.language, name: this.myPublicName(row.language) });
    this.composer.setOver(row.state === "closed");
    this.thread.customerName = card.name;
    this.card.show(row, card);
    this.drawHead();
    this.drawThread();
    this.held.show(state.held);
    this.looked();
    this.showLists();
  }

  drawThread() {
    if (!this.state) return;
    const { row, card, lines, older } = this.state;
    this.thread.show({
      session: row.session,
      language: row.language,
      code: row.code,
      lines: [...this.extra, ...lines],
      older: this.extra.length ? this.olderStill : older,
      unsent: this.outbox.of(row.session),
      presenceSince: card.left_at ?? card.presence_since,
    });
    this.showWriting();
  }

  async showOlder() {
    const session = this.open;
    const first = [...this.extra, ...this.state.lines][0].index;
    const { lines, older } = await ask(`sessions/${encodeURIComponent(session)}?before=${first}`);
    if (session !== this.open) return;
    this.extra = [...lines, ...this.extra];
    this.olderStill = older;
    this.drawThread();
  }

  looked() {
    if (!this.state || document.visibilityState !== "visible") return;
    const newest = Math.max(0, ...this.state.row.incoming);
    if (newest > (this.kept.readUpTo(this.open) ?? -1)) this.kept.setReadUpTo(this.open, newest);
    this.showLists();
  }

  myPublicName(language) {
    const { names } = this.me.operator;
    return names[language] ?? names[language.split("-")[0]] ?? names.en ?? Object.values(names)[0] ?? "";
  }

  // ---------------------------------------------------------------- the middle of the page

  drawPlace() {
    if (!this.open) return fill(this.place, el("div", { class: "nothing" }, el("p", {}, t("thread.empty")), el("p", { class: "hint" }, t("thread.empty_hint"))));
    if (!this.state) return fill(this.place, el("div", { class: "nothing" }, el("p", {}, t("thread.loading"))));
    fill(this.place, this.head.node, this.attention.node, this.thread.node, this.held.node, this.composer.node);
  }

  drawHead() {
    const { row, card } = this.state;
    this.head.show(row, card);
    this.attention.show(row, card);
  }

  // ---------------------------------------------------------------- what an operator does

  async purge(file, fields) {
    await tell(`sessions/${encodeURIComponent(this.open)}/files/${encodeURIComponent(file)}/purge`, { id: newId(), ...fields });
    this.say(null, t("purge.done"));
    await this.refresh();
  }

  /** Each press has one id, so that a repeat after a lost answer changes nothing. */
  async act(what, fields = {}, session = this.open) {
    const id = newId();
    const answer = await tell(`sessions/${encodeURIComponent(session)}/${what}`, { id, ...fields });
    this.answered(session, answer);
  }

  async try(what, fields) {
    try {
      await this.act(what, fields);
    } catch (error) {
      this.say(error);
    }
  }

  can(...states) {
    return this.state && states.includes(this.state.row.state);
  }

  claim() {
    if (!this.can("queued", "resolved") && !this.state?.row.unattended) return false;
    this.try("claim");
  }

  hold() {
    if (!this.can("queued", "assigned", "resolved")) return false;
    askHold((fields) => this.act("hold", fields));
  }

  transfer() {
    if (!this.can("queued", "assigned", "resolved")) return false;
    this.askTransfer(this.open);
  }

  template() {
    if (!this.can("queued", "assigned", "resolved")) return false;
    const { session, language } = this.state.row;
    askTemplate({ session, language, act: (what, fields) => this.act(what, fields, session) });
  }

  /** Who is on, and which desk is open, is asked as it is now: the page may have been open for hours. */
  async askTransfer(session) {
    const known = { desks: this.me.desks, people: [...this.people.values()] };
    const { desks, people } = await ask("me").catch(() => known);
    if (this.open !== session || !this.state || document.querySelector("dialog[open]")) return;
    for (const one of people) this.people.set(one.id, one);
    const named = people.map((one) => ({ ...one, label: this.nameOf(one.id) }));
    askTransfer({ desks, people: named, desk: this.state.row.desk, assignee: this.state.row.assignee }, (fields) => this.act("transfer", fields));
  }

  resolve() {
    if (!this.can("queued", "assigned")) return false;
    askResolve(this.me.outcomes, (fields) => this.act("resolve", fields), () => this.act("check"));
  }

  escalate() {
    if (!this.can("queued", "assigned") || this.state.row.escalation) return false;
    const [title, hint] = [t("escalate.title"), t("escalate.hint")];
    show({ title, hint, body: [], submit: { label: t("action.escalate"), act: () => this.act("escalate") } });
  }

  acknowledge() {
    const ladder = this.state?.row.escalation;
    if (!ladder || ladder.acknowledged_by) return false;
    this.try("acknowledge");
  }

  check() {
    if (!this.can("queued", "assigned", "resolved") || ["requested", "passed"].includes(this.state.row.check?.state)) return false;
    this.try("check");
  }

  incident() {
    if (!this.state) return false;
    askIncident(this.broken, this.state.row.incident, (fields) => this.act("incident", fields));
  }

  /** Taking an offer opens it: the next thing is to answer. */
  async accept(row) {
    try {
      const answer = await tell(`sessions/${encodeURIComponent(row.session)}/claim`, { id: newId() });
      this.answered(row.session, answer);
      location.hash = row.code;
    } catch (error) {
      this.say(error);
      this.loadOffers();
    }
  }

  async decline(row) {
    try {
      this.answered(row.session, await tell(`sessions/${encodeURIComponent(row.session)}/decline`, { id: newId() }));
    } catch (error) {
      this.say(error);
    }
    this.loadOffers();
  }

  firstOffer(act) {
    const [row] = this.offered.values();
    if (!row) return false;
    act(row);
  }

  write(kind) {
    if (!this.state) return false;
    this.composer.focus(kind);
  }

  answered(session, answer) {
    setClock(answer.now);
    this.take(answer.row);
    if (session === this.open) this.refresh();
    this.showLists();
  }

  outboxChanged(session) {
    if (session === this.open) this.drawThread();
    this.drawBar();
  }

  tellTyping(kind) {
    if (this.open) tell(`sessions/${encodeURIComponent(this.open)}/typing`, { kind }).catch(() => {});
  }

  // ---------------------------------------------------------------- what is heard

  heard(frame) {
    if (frame.now) setClock(frame.now);
    if (frame.t === "rows") this.heardRows(frame);
    if (frame.t === "typing") this.heardTyping(frame);
    if (frame.t === "standing") this.standing.show(frame.standing);
    if (frame.t === "incidents") this.heardIncidents(frame.incidents);
  }

  heardRows(frame) {
    const { rows, gone, counts, outages } = frame;
    this.meanwhile?.push(frame);
    this.counts = counts;
    this.tellOutages(outages);
    for (const row of rows) {
      this.take(row);
      if (row.session !== this.open) continue;
      this.writing.delete(row.session);
      this.refresh();
    }
    for (const session of gone) {
      this.rows.delete(session);
      this.offered.delete(session);
    }
    if (gone.length) this.offers.show([...this.offered.values()]);
    this.showLists();
    if (this.view) this.views[this.view].changed();
  }

  heardIncidents(incidents) {
    if (JSON.stringify(incidents) === JSON.stringify(this.broken)) return;
    this.broken = incidents;
    this.redraw();
    if (this.view === "incidents") this.views.incidents.changed();
  }

  heardTyping({ session, operator, note }) {
    this.writing.set(session, { operator, note, until: Date.now() + WRITING_FOR });
    setTimeout(() => this.showWriting(), WRITING_FOR + 50);
    this.showWriting();
  }

  writers() {
    const current = [...this.writing].filter(([, one]) => one.until > Date.now());
    this.writing = new Map(current);
    return new Map(current.map(([session, one]) => [session, { name: one.operator ? this.nameOf(one.operator) : t("thread.customer") }]));
  }

  showWriting() {
    this.showLists();
    const one = this.writing.get(this.open);
    if (!one) return this.thread.showWriting("");
    const key = !one.operator ? "thread.customer_writing" : one.note ? "thread.writing_note" : "thread.writing";
    this.thread.showWriting(t(key, { name: this.nameOf(one.operator) }));
  }

  connection(state) {
    this.connected = state === "open";
    this.drawBar();
    if (!this.connected) return;
    this.outbox.hurry();
    this.load();
    this.refresh();
  }

  lineChanged() {
    if (navigator.onLine) this.outbox.hurry();
    this.drawBar();
  }

  tellOutages(outages = []) {
    this.outages = outages;
    this.drawBar();
  }

  /** That this page hears nothing comes before what it has heard of others. */
  drawBar() {
    const unsent = this.outbox?.size ?? 0;
    const lost = this.connected === false || !navigator.onLine;
    const outages = this.outages.map((one) => t("connection.outage", { network: t(`network.${one.network}`), time: moment(one.since) }));
    const said = lost ? [t("connection.lost"), unsent && t("connection.unsent", { count: unsent })].filter(Boolean) : outages;
    this.bar.hidden = !said.length;
    if (this.bar.textContent !== said.join(" · ")) this.bar.textContent = said.join(" · ");
  }

  tick() {
    this.showLists();
    if (!this.state) return;
    this.drawHead();
    this.drawThread();
  }

  // ---------------------------------------------------------------- oneself

  changeNames() {
    const { fields, read } = nameFields(this.me.operator.names);
    const act = async () => {
      const { operator } = await tell("me/names", { names: read() });
      this.me.operator = operator;
      this.people.set(operator.id, operator);
    };
    show({ title: t("names.title"), hint: t("names.hint"), body: fields, submit: { label: t("names.save"), act } });
  }

  askToSignOut() {
    const unsent = this.outbox.size;
    if (!unsent) return this.signOut();
    const [title, hint] = [t("me.sign_out"), t("connection.unsent", { count: unsent })];
    show({ title, hint, body: [], submit: { label: title, act: () => this.signOut() } });
  }

  /** What this browser kept goes with the operator, but only once the service has let them go. */
  async signOut() {
    this.stop();
    desk = null;
    try {
      await tell("sign-out", {});
      this.kept.forget();
      history.replaceState(null, "", location.pathname);
    } finally {
      start();
    }
  }

  say(error, text = wording(error)) {
    this.toast.textContent = text;
    this.toast.hidden = false;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => (this.toast.hidden = true), 6_000);
  }

  keys() {
    const lists = LISTS.map((list, place) => [String(place + 1), () => this.choose({ list })]);
    return {
      ...Object.fromEntries(lists),
      j: () => this.sessions.move(1),
      k: () => this.sessions.move(-1),
      r: () => this.write("reply"),
      n: () => this.write("note"),
      c: () => this.claim(),
      h: () => this.hold(),
      t: () => this.transfer(),
      e: () => this.resolve(),
      a: () => this.acknowledge() !== false || this.firstOffer((row) => this.accept(row)),
      d: () => this.firstOffer((row) => this.decline(row)),
      u: () => this.escalate(),
      i: () => this.check(),
      s: () => this.standing.toggle(),
      ";": () => this.template(),
      w: () => Boolean(this.state) && this.held.focus(),
      z: () => Boolean(this.state) && this.held.undo(),
      g: () => Boolean(this.views.team) && void (location.hash = "#/team"),
      o: () => void (location.hash = "#/incidents"),
      "/": () => (this.pane("list"), this.sessions.search.focus()),
      "?": () => showHelp(),
      Escape: (event) => this.escape(event),
    };
  }

  /** Out of the field first, then out of the conversation. */
  escape(event) {
    if (event.target === this.sessions.search && this.sessions.search.value) {
      this.sessions.clearSearch();
      return true;
    }
    if (document.activeElement !== document.body && this.open && document.activeElement.matches("input, textarea, select")) {
      this.sessions.focus(this.open);
      if (document.activeElement.matches("textarea, input")) document.activeElement.blur();
      return true;
    }
    if (this.open || this.view) location.hash = "";
    return Boolean(this.open || this.view);
  }
}

// ------------------------------------------------------------------ from the door to the desk

let desk = null;

async function start({ problem = null, notice = "" } = {}) {
  desk?.stop();
  desk = null;
  const redraw = () => restart();
  try {
    const me = await ask("me");
    if (Object.keys(me.operator.names).length) desk = new Desk(me);
    else firstNames(root, me.operator, { onDone: restart, redraw });
  } catch (error) {
    const outside = error.code === "not_signed_in";
    signIn(root, { problem: problem ?? (outside ? null : error), notice, onDone: restart, redraw });
  }
}

function restart() {
  return start();
}

window.addEventListener("signed-out", () => desk && start({ notice: t("sign_in.ended") }));

/** At the first opening, and when a one-time link is opened in a tab that shows the desk already. */
async function enter() {
  let problem = null;
  await useLink().catch((error) => (problem = error));
  await start({ problem });
}

window.addEventListener("hashchange", () => location.hash.startsWith("#sign-in/") && enter());

await speak();
await enter();
