/* Colours that can be read: whatever accent a site chooses, text on it and text in it keep a contrast of 4.5 to 1. */

const READABLE = 4.5;
// What text in the accent's colour stands on at worst: the darkest light ground, and the lightest dark one.
const GROUNDS = { light: [244, 246, 248], dark: [36, 46, 56] };
const DEFAULT = [31, 79, 122];

/** Derive what stands on the accent, and the accent as ink, for the scheme in force; follow the scheme from now on. */
export class Theme {
  constructor(host, launcher, wanted) {
    this.host = host;
    this.launcher = launcher;
    this.wanted = wanted; // light, dark, or whatever the reader's system says
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.dark.addEventListener("change", () => this.apply());
  }

  apply(colour) {
    if (colour) this.host.style.setProperty("--k-color", colour);
    const scheme = ["light", "dark"].includes(this.wanted) ? this.wanted : this.dark.matches ? "dark" : "light";
    this.host.dataset.scheme = scheme;
    const accent = channels(getComputedStyle(this.launcher).backgroundColor) ?? DEFAULT;
    const set = (name, value) => this.host.style.setProperty(name, `rgb(${value.join(" ")})`);
    set("--k-accent", accent);
    set("--k-on-accent", onTop(accent));
    set("--k-ink", inked(accent, scheme));
    set("--k-ring", inked(accent, scheme));
  }
}

function channels(colour) {
  const numbers = /^rgba?\(([^)]+)\)$/.exec(colour)?.[1].match(/[\d.]+/g);
  return numbers ? numbers.slice(0, 3).map(Number) : null;
}

/** Black or white, whichever reads better: one of them always reaches 4.58 to 1. */
function onTop(colour) {
  const [white, black] = [
    [255, 255, 255],
    [0, 0, 0],
  ];
  return contrast(white, colour) >= READABLE || contrast(white, colour) >= contrast(black, colour) ? white : black;
}

/** The accent, moved towards black or white until it can be read as text. */
function inked(accent, scheme) {
  const ground = GROUNDS[scheme];
  const end = scheme === "dark" ? 255 : 0;
  for (let share = 0; share <= 1; share += 0.05) {
    const mixed = accent.map((value) => Math.round(value + (end - value) * share));
    if (contrast(mixed, ground) >= READABLE + 0.2) return mixed;
  }
  return [end, end, end];
}

/** WCAG 2.2's contrast ratio of two sRGB colours. */
export function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour) {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
