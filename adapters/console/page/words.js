// The wording. Four languages; the choice is the operator's, else the browser's.

const LANGUAGES = ["ja", "en", "zh-Hans", "zh-Hant"];
const KEPT = "kakehashi.desk.language";
let words = {};
let chosen = "en";

export { LANGUAGES };

export function language() {
  return chosen;
}

/** Load the wording of a language, or of the one that fits this browser. */
export async function speak(wanted = remembered() ?? closest(navigator.languages)) {
  const answer = await fetch(`words/${wanted}.json`);
  words = await answer.json();
  chosen = wanted;
  document.documentElement.lang = wanted;
}

export function choose(wanted) {
  localStorage.setItem(KEPT, wanted);
  return speak(wanted);
}

/** One text, its gaps filled. */
export function t(key, gaps = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => String(gaps[name] ?? whole));
}

export function knows(key) {
  return key in words;
}

/** A title that was given per language: ours, its base, English, any. */
export function pick(titles, fallback = "") {
  return titles[chosen] ?? titles[chosen.split("-")[0]] ?? titles.en ?? Object.values(titles)[0] ?? fallback;
}

export function languageName(tag) {
  for (const known of [tag, tag.split("-")[0]]) {
    if (knows(`language.${known}`)) return t(`language.${known}`);
  }
  return tag;
}

function remembered() {
  const kept = localStorage.getItem(KEPT);
  return LANGUAGES.includes(kept) ? kept : null;
}

function closest(preferred) {
  for (const tag of preferred ?? []) {
    const [base, ...rest] = tag.toLowerCase().split("-");
    if (base === "zh") return rest.some((part) => ["hant", "tw", "hk", "mo"].includes(part)) ? "zh-Hant" : "zh-Hans";
    if (LANGUAGES.includes(base)) return base;
  }
  return "en";
}
