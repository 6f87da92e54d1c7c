// Times: the store's clock, shown in the reader's zone and habit.

import { language, t } from "./words.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
let offset = 0;

/** The service said what time it is. */
export function setClock(now) {
  offset = now - Date.now();
}

export function now() {
  return Date.now() + offset;
}

/** How long: "now", "3 min", "1 h 5 min", "2 d". */
export function span(ms) {
  if (ms < MINUTE) return t("time.now");
  if (ms < HOUR) return t("time.minutes", { count: Math.floor(ms / MINUTE) });
  if (ms < DAY) {
    const minutes = Math.floor((ms % HOUR) / MINUTE);
    const hours = t("time.hours", { count: Math.floor(ms / HOUR) });
    return minutes ? `${hours} ${t("time.minutes", { count: minutes })}` : hours;
  }
  return t("time.days", { count: Math.floor(ms / DAY) });
}

export function ago(at) {
  const ms = now() - at;
  return ms < MINUTE ? t("time.just_now") : t("time.ago", { time: span(ms) });
}

export function clock(at) {
  return format(at, { hour: "numeric", minute: "2-digit" });
}

/** The time, with its day where that is not today. */
export function moment(at) {
  if (dayOf(at) === dayOf(now())) return clock(at);
  return format(at, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
}

export function day(at) {
  if (dayOf(at) === dayOf(now())) return t("time.today");
  if (dayOf(at) === dayOf(now() - DAY)) return t("time.yesterday");
  return format(at, { weekday: "short", month: "long", day: "numeric" });
}

export function date(at) {
  return format(at, { year: "numeric", month: "short", day: "numeric" });
}

export function dayOf(at) {
  return new Date(at).toDateString();
}

/** What time it is in a zone, with the zone's name; empty for a zone that this browser does not know. */
export function timeThere(zone) {
  try {
    return format(now(), { hour: "numeric", minute: "2-digit", timeZone: zone, timeZoneName: "short" });
  } catch {
    return "";
  }
}

function format(at, options) {
  const base = language().split("-")[0];
  const habit = base === "en" ? {} : { hourCycle: "h23" };
  const region = navigator.languages.find((tag) => tag.split("-")[0] === base && base === "en");
  return new Intl.DateTimeFormat(region ?? language(), { ...habit, ...options }).format(at);
}
