/* Words, numbers and times in the reader's language, zone and habit. */

export const LANGUAGES = { ja: "日本語", en: "English", "zh-Hans": "简体中文", "zh-Hant": "繁體中文" };

/** The language of ours that fits a BCP 47 tag best; English when none does. */
export function fitting(tag) {
  const lower = String(tag || "en").toLowerCase();
  if (/^zh\b/.test(lower)) return /hant|tw|hk|mo/.test(lower) ? "zh-Hant" : "zh-Hans";
  return lower.startsWith("ja") ? "ja" : "en";
}

/** The language that a text is written in, as far as its script tells; `otherwise` where it does not. */
export function languageOf(text, otherwise) {
  if (/[\u3040-\u30ff]/.test(text)) return "ja";
  if (/[\uac00-\ud7af]/.test(text)) return "ko";
  if (/[\u3100-\u312f]/.test(text)) return "zh-Hant";
  if (/[\u4e00-\u9fff]/.test(text)) return /^(ja|zh)/.test(otherwise) ? otherwise : "zh-Hans";
  return otherwise;
}

/** Fetch one language's words. Raises when they cannot be had. */
export async function loadWords(language) {
  const response = await fetch(new URL(`locales/${language}.json`, import.meta.url));
  if (!response.ok) throw new Error(`no words for ${language}: ${response.status}`);
  return new Words(language, await response.json());
}

export class Words {
  constructor(language, texts) {
    this.language = language;
    this.texts = texts;
    // A reader in London who reads English wants 14:03, one in New York 2:03 PM: the browser's own tag knows.
    this.habit = navigator.languages.find((tag) => fitting(tag) === language && sameBase(tag, language)) ?? language;
    this.plural = new Intl.PluralRules(this.habit);
    const clock = new Intl.DateTimeFormat(this.habit, { hour: "numeric", minute: "2-digit" });
    const whole = clock.resolvedOptions().hourCycle.startsWith("h2"); // 09:05, but 9:05 AM
    this.clock = whole ? new Intl.DateTimeFormat(this.habit, { hour: "2-digit", minute: "2-digit" }) : clock;
    this.date = new Intl.DateTimeFormat(this.habit, { month: "short", day: "numeric", weekday: "short" });
    this.full = new Intl.DateTimeFormat(this.habit, { dateStyle: "long", timeStyle: "short" });
    this.near = new Intl.RelativeTimeFormat(this.habit, { numeric: "auto" });
  }

  has(key) {
    return Object.hasOwn(this.texts, key);
  }

  /** The text of `key` with its `{names}` filled in; `count` chooses `key.one` or `key.other` where there are such. */
  text(key, words = {}) {
    const numbered = words.count === undefined ? key : `${key}.${this.plural.select(words.count)}`;
    const found = this.texts[numbered] ?? this.texts[`${key}.other`] ?? this.texts[key] ?? key;
    return found.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(words, name) ? String(words[name]) : whole));
  }

  /** What a topic is called: by the desk's policy, else by our own words; empty when neither knows it. */
  topic(key, titles) {
    const given = titles?.[key] ?? {};
    return given[this.language] ?? (this.has(`topic.${key}`) ? this.text(`topic.${key}`) : (given.en ?? ""));
  }

  /** 14:03, or 2:03 PM. Milliseconds since 1970. */
  time(at) {
    return this.clock.format(at);
  }

  /** Today, yesterday, or the date. */
  day(at, now = Date.now()) {
    const ago = dayNumber(now) - dayNumber(at);
    if (ago !== 0 && ago !== 1) return this.date.format(at);
    const name = this.near.format(-ago, "day");
    return name.charAt(0).toLocaleUpperCase(this.habit) + name.slice(1);
  }

  /** Date and time in full, for a tooltip and for copies. */
  moment(at) {
    return this.full.format(at);
  }

  /** A time today, or a day and a time when it is another day. */
  soon(at, now = Date.now()) {
    return dayNumber(now) === dayNumber(at) ? this.time(at) : `${this.date.format(at)} ${this.time(at)}`;
  }

  /** 640 KB, 1.2 MB. */
  size(bytes) {
    const [unit, amount] = bytes < 1e6 ? ["kilobyte", Math.max(1, bytes / 1e3)] : ["megabyte", bytes / 1e6];
    const digits = amount < 10 && unit === "megabyte" ? 1 : 0;
    const form = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits };
    return new Intl.NumberFormat(this.habit, form).format(amount);
  }

  number(value) {
    return new Intl.NumberFormat(this.habit).format(value);
  }
}

function sameBase(tag, language) {
  return tag.toLowerCase().split("-")[0] === language.split("-")[0];
}

/** The day in the reader's zone, as a number: the difference of two is a number of midnights, summer time or not. */
function dayNumber(at) {
  const date = new Date(at);
  return Math.round(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000);
}
