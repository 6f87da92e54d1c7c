// Dialogs: the browser's own, so that focus stays inside, Escape closes, and it comes back to where it was.

import { el, fill } from "./dom.js";
import { choiceOf } from "./standing.js";
import { clock, moment, now } from "./times.js";
import { LANGUAGES, pick, t } from "./words.js";

const MINUTE = 60_000;

/** Show a dialog. `submit` is {label, act}; `act` may throw a Refused, which is shown and keeps the dialog open.
    `ways` maps a refusal's code to {label, act}: the way out of it, as a button beside what is said. */
export function show({ title, hint, body, submit, cancel = t("action.cancel"), wide = false, ways = {} }) {
  const problem = el("p", { class: "problem", role: "alert", hidden: true });
  const dialog = el("dialog", { class: wide ? "dialog wide" : "dialog", "aria-labelledby": "dialog-title" });
  const form = el(
    "form",
    { method: "dialog", onsubmit: (event) => submit && send(event, dialog, problem, submit.act, ways) },
    el("h2", { id: "dialog-title" }, title),
    hint && el("p", { class: "hint" }, hint),
    ...body,
    problem,
    el(
      "div",
      { class: "dialog-foot" },
      el("button", { type: "button", class: "button", onclick: () => dialog.close() }, cancel),
      submit && el("button", { type: "submit", class: "button primary" }, submit.label),
    ),
  );
  const opener = document.activeElement;
  dialog.append(form);
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (opener?.isConnected) opener.focus();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

async function send(event, dialog, problem, act, ways) {
  event.preventDefault();
  const button = event.submitter ?? dialog.querySelector("[type=submit]");
  button.disabled = true;
  try {
    await act();
    dialog.close();
  } catch (error) {
    const way = ways[error.code];
    const out = way && el("button", { type: "button", class: "button", onclick: () => send(event, dialog, problem, way.act, {}) }, way.label);
    fill(problem, wording(error), ...(out ? [" ", out] : []));
    problem.hidden = false;
    out?.focus();
  } finally {
    button.disabled = false;
  }
}

/** A refusal in words. */
export function wording(error) {
  const key = `error.${error.code}`;
  const said = t(key, { count: error.retryAfter, names: error.answer?.error?.names?.join(", ") });
  return said === key ? t("error.unknown") : said;
}

function choice(name, options, chosen) {
  return el(
    "div",
    { class: "choices", role: "radiogroup" },
    options.map(([value, label]) =>
      el(
        "label",
        { class: "choice" },
        el("input", { type: "radio", name, value, checked: value === chosen, autofocus: value === chosen }),
        el("span", {}, label),
      ),
    ),
  );
}

function chosenIn(dialog, name) {
  return dialog.querySelector(`input[name="${name}"]:checked`)?.value;
}

export function askHold(act) {
  const tomorrow = new Date(now() + 24 * 60 * MINUTE);
  tomorrow.setHours(9, 0, 0, 0);
  const minutes = (count) => [String(count * MINUTE), t("hold.minutes", { count })];
  const hours = (count) => [String(count * 60 * MINUTE), t("hold.hours", { count })];
  const options = [minutes(10), minutes(30), hours(1), hours(4), [`at ${tomorrow.getTime()}`, t("hold.tomorrow")]];
  const until = el("output", { class: "hint", "aria-live": "polite" });
  const body = [choice("until", options, options[1][0]), until];
  const read = (dialog) => {
    const value = chosenIn(dialog, "until");
    return value.startsWith("at ") ? Number(value.slice(3)) : Math.round(now() + Number(value));
  };
  const submit = { label: t("hold.submit"), act: () => act({ until: read(dialog) }) };
  const dialog = show({ title: t("hold.title"), hint: t("hold.hint"), body, submit });
  const tell = () => (until.textContent = `${t("hold.until")} ${clock(read(dialog))}`);
  dialog.addEventListener("change", tell);
  tell();
}

const PURGE_REASONS = ["customer_asked", "personal_data", "credentials", "wrong_customer", "harmful", "other"];

/** Cannot be undone, so it is asked for, with a reason that the record keeps. */
export function askPurge(act) {
  const body = [choice("why", PURGE_REASONS.map((one) => [one, t(`purge.${one}`)]), PURGE_REASONS[0])];
  const submit = { label: t("thread.remove_file"), act: () => act({ why: chosenIn(dialog, "why") }) };
  const dialog = show({ title: t("purge.title"), hint: t("purge.hint"), body, submit });
}

/** `askCheck`: the way out where an outcome needs an identity check that nobody has passed. */
export function askResolve(outcomes, act, askCheck) {
  const body = [choice("outcome", outcomes.map((one) => [one, t(`outcome.${one}`)]), outcomes[0])];
  const submit = { label: t("resolve.submit"), act: () => act({ outcome: chosenIn(dialog, "outcome") }) };
  const ways = { check_needed: { label: t("action.check"), act: askCheck } };
  const dialog = show({ title: t("resolve.title"), hint: t("resolve.hint"), body, submit, ways });
}

/** To a desk, or to a colleague; the session's own desk is chosen first, so that choosing a colleague moves nothing else. */
export function askTransfer({ desks, people, desk, assignee }, act) {
  const operator = el("select", { id: "transfer-operator" });
  const reason = el("input", { id: "transfer-reason", type: "text", maxlength: "256", autocomplete: "off" });
  const options = desks.map((one) => el("option", { value: one.id }, deskOption(one)));
  const target = el("select", { id: "transfer-desk", onchange: () => fillPeople() }, options);
  const fillPeople = () => {
    const able = people.filter((one) => one.active && (!one.desks.length || one.desks.includes(target.value)));
    const others = able.filter((one) => target.value !== desk || one.id !== assignee);
    fill(operator, el("option", { value: "" }, t("transfer.anybody")), others.map((one) => el("option", { value: one.id }, personOption(one))));
  };
  if (desks.some((one) => one.id === desk)) target.value = desk;
  fillPeople();
  const body = [
    el("div", { class: "field" }, el("label", { for: "transfer-desk" }, t("transfer.desk")), target),
    el("div", { class: "field" }, el("label", { for: "transfer-operator" }, t("transfer.operator")), operator),
    el("div", { class: "field" }, el("label", { for: "transfer-reason" }, t("transfer.reason")), reason, el("p", { class: "hint" }, t("transfer.reason_hint"))),
  ];
  const fields = () => ({ desk: target.value, operator: operator.value || null, reason: reason.value.trim() || null });
  const submit = { label: t("transfer.submit"), act: () => act(fields()) };
  show({ title: t("transfer.title"), hint: t("transfer.hint"), body, submit });
}

/** A desk, and when it opens if nobody is there now. */
function deskOption({ id, titles, open, opens }) {
  const name = pick(titles, id);
  if (open) return name;
  return opens === null ? t("transfer.closed", { desk: name }) : t("transfer.opens", { desk: name, time: moment(opens) });
}

/** A colleague, and that they are away or off where they are not on. */
function personOption({ label, standing }) {
  if (!standing || standing.on) return label;
  return `${label} · ${t(`standing.${choiceOf(standing) || "because.nothing"}`)}`;
}

/** Which incident a conversation is about; `current` are those of now, `chosen` its id or null. */
export function askIncident(current, chosen, act) {
  const known = current.map((one) => [one.id, `${one.id} · ${pick(one.titles)}`]);
  const other = chosen && !known.some(([id]) => id === chosen) ? [[chosen, chosen]] : [];
  const options = [...known, ...other, ["", t("incidents.none_of_them")]];
  const body = [choice("incident", options, chosen ?? options[0][0])];
  const submit = { label: t("names.save"), act: () => act({ incident: chosenIn(dialog, "incident") || null }) };
  const dialog = show({ title: t("incidents.which_one"), hint: t("incidents.which_hint"), body, submit });
}

/** The fields for public names, one per language; used at the first sign-in and later. */
export function nameFields(names) {
  const inputs = LANGUAGES.map((tag) => [
    tag,
    el("input", { type: "text", maxlength: "40", lang: tag, autocomplete: "off", value: names[tag] ?? "" }),
  ]);
  const fields = inputs.map(([tag, input]) => el("label", { class: "field" }, t(`language.${tag}`), input));
  const read = () => Object.fromEntries(inputs.map(([tag, input]) => [tag, input.value.trim()]));
  return { fields, read };
}
