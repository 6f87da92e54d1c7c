/* Words, numbers and times in the reader's language, zone and habit. */

export const LANGUAGES = { ja: "日本語", en: "English", "zh-Hans": "简体中文", "zh-Hant": "繁體中文" };

const NAME = /\{(\w+)\}/g;
const HOURS_FROM = 60; // minutes

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
  if (loaded.has(language)) return loaded.get(language);
  const response = await fetch(new URL(`locales/${language}.json`, import.meta.url));
  if (!response.ok) throw new Error(`no words for ${language}: ${response.status}`);
  const words = new Words(language, await response.json());
  loaded.set(language, words);
  return words;
}

const loaded = new Map();

/** Another language's words, if they are here; else they are fetched, and `then` is called once they are. */
export function otherWords(language, then) {
  if (!loaded.has(language) && language in LANGUAGES) loadWords(language).then(then, () => {});
  return loaded.get(language) ?? null;
}

export class Words {
  constructor(language, texts) {
    this.language = language;
    this.texts = texts;
    // A reader in London who reads English wants 14:03, one in New York 2:03 PM: the browser's own tag knows.
    this.habit = navigator.languages.find((tag) => fitting(tag) === language && sameBase(tag, language)) ?? language;
    this.cardinal = new Intl.PluralRules(language);
    this.ordinal = new Intl.PluralRules(language, { type: "ordinal" });
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

  /**
   * The text of `key` with its `{names}` filled in. A number chooses the form: `count` by CLDR's cardinal rules, `nth`
   * by its ordinal ones; a form such as `key.=1` is for that very number.
   */
  text(key, words = {}) {
    const found = this.#form(key, words.nth, this.ordinal) ?? this.#form(key, words.count, this.cardinal);
    return this.#fill(found ?? this.texts[`${key}.other`] ?? this.texts[key] ?? key, words);
  }

  /** The same where all of its names are known; else the plain text, which needs none. */
  whole(key, words) {
    const names = [...(this.texts[key] ?? "").matchAll(NAME)].map(([, name]) => name);
    const plain = names.some((name) => !words[name]) && this.has(`${key}.plain`);
    return this.text(plain ? `${key}.plain` : key, words);
  }

  #form(key, number, rules) {
    if (number === undefined) return undefined;
    return this.texts[`${key}.=${number}`] ?? this.texts[`${key}.${rules.select(number)}`];
  }

  #fill(text, words) {
    return text.replace(NAME, (gap, name) => (Object.hasOwn(words, name) ? String(words[name]) : gap));
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

  /** The same with the name of the reader's zone, for what is said of a desk that may be in another. */
  zoned(at, now = Date.now()) {
    return this.text("time.zoned", { time: this.soon(at, now), zone: this.#zone(at) });
  }

  /** "Opens at 09:00 your time", or with the day when it is another. */
  opens(at, now = Date.now()) {
    const today = dayNumber(now) === dayNumber(at);
    return this.text(today ? "opens.today" : "opens.later", { time: this.time(at), day: this.date.format(at) });
  }

  #zone(at) {
    for (const timeZoneName of ["shortGeneric", "short"]) {
      try {
        const parts = new Intl.DateTimeFormat(this.language, { timeZoneName }).formatToParts(at);
        return parts.find(({ type }) => type === "timeZoneName").value;
      } catch {
        // An older browser, which does not know "Japan Time" and says "GMT+9".
      }
    }
    return "UTC";
  }

  /** "4–7 minutes", or hours where it is that long; `low` and `high` in minutes. Never told too short. */
  span(low, high) {
    const hours = low >= HOURS_FROM;
    const unit = hours ? "hours" : "minutes";
    const [least, most] = hours ? [Math.floor(low / 60), Math.ceil(high / 60)] : [Math.max(1, low), Math.max(1, high)];
    if (least >= most) return this.text(`notice.span.${unit}`, { count: most });
    return this.text(`notice.span.${unit}_range`, { low: least, high: most });
  }

  /** What a language is called here: 中国語 in Japanese, Chinese in English. */
  languageName(tag) {
    try {
      return new Intl.DisplayNames([this.language], { type: "language" }).of(tag);
    } catch {
      return LANGUAGES[tag] ?? tag;
    }
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
