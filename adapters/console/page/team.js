// For leads: who is on, what they hold, and how much of it is near the promise.

import { ask } from "./api.js";
import { show, wording } from "./dialogs.js";
import { el } from "./dom.js";
import { t } from "./words.js";

const COLUMNS = ["name", "state", "load", "owed", "near", "past"];

export async function showTeam(nameOf) {
  const body = el("div", { class: "team", "aria-live": "polite" }, t("thread.loading"));
  show({ title: t("team.title"), body: [body], cancel: t("action.done"), wide: true });
  try {
    const { team } = await ask("team");
    body.replaceChildren(table(team.sort((one, other) => other.here - one.here || other.load - one.load), nameOf));
  } catch (error) {
    body.replaceChildren(el("p", { class: "problem" }, wording(error)));
  }
}

function table(team, nameOf) {
  const head = el("tr", {}, COLUMNS.map((column) => el("th", { scope: "col" }, t(`team.${column}`))));
  return el("table", {}, el("thead", {}, head), el("tbody", {}, team.map((one) => member(one, nameOf))));
}

function member(one, nameOf) {
  const amount = (number, level = "") => el("td", { class: `number ${number ? level : ""}` }, String(number));
  return el(
    "tr",
    { class: one.here ? "here" : "away" },
    el("th", { scope: "row", dir: "auto" }, nameOf(one.id)),
    el("td", {}, t(one.here ? "team.here" : "team.away")),
    el("td", { class: "number" }, `${one.load} / ${one.capacity}`),
    amount(one.owed),
    amount(one.near, "near"),
    amount(one.past, "past"),
  );
}
