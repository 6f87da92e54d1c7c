/* One message as elements: words as they were written, pictures, files, and the state of what the customer sent. */

import { el, icon } from "./dom.js";
import { languageOf } from "./i18n.js";
import { drawn } from "./marks.js";
import { preview } from "./uploads.js";

// A transaction, an address, an order number: 20 or more letters and digits in a row, at least one a digit. Such a run
// is wrapped anywhere and copied by one tap; it is never linked, shortened or regrouped.
const LONG_ID = /(?=[0-9A-Za-z_-]*\d)[0-9A-Za-z]+(?:[-_][0-9A-Za-z]+)*/g;
const LONG_ID_LENGTH = 20;
const PICTURE_PX = 240;

/** The words of one text part. Without marks the element says, as text, exactly what was written. */
export function words({ text, marks }, language, { copyLabel, copy }) {
  const write = (some) => withLongIds(some, copyLabel, copy);
  const attributes = { class: "text", dir: "auto", lang: languageOf(text, language) };
  return el("div", attributes, ...drawn(text, marks, write));
}

function withLongIds(text, label, copy) {
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(LONG_ID)) {
    if (found[0].length < LONG_ID_LENGTH) continue;
    nodes.push(text.slice(from, found.index), longId(found[0], label, copy));
    from = found.index + found[0].length;
  }
  return [...nodes, text.slice(from)];
}

function longId(id, label, copy) {
  const act = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    if (event.type === "click" && getSelection()?.type === "Range") return; // a part of it is being selected
    event.preventDefault();
    copy(id);
  };
  return el(
    "span",
    {
      class: "long-id",
      role: "button",
      tabindex: "-1",
      translate: "no",
      title: label,
      dir: "ltr",
      "aria-description": label,
      on: { click: act, keydown: act },
    },
    id,
  );
}

/** A picture or a document. `local` is the file itself, where this device has it. */
export function attachment(part, { words: text, local, view }) {
  const image = part.media.startsWith("image/") && (part.url || local);
  return image ? picture(part, text, local, view) : document_(part, text);
}

function picture(part, text, local, view) {
  const [width, height] = fitted(part.width || PICTURE_PX, part.height || PICTURE_PX);
  const frame = el("button", {
    type: "button",
    class: "picture",
    "aria-label": text.text("message.open_picture", { name: part.name }),
    on: { click: () => view(part, frame) },
  });
  frame.style.setProperty("--w", `${width}px`);
  frame.style.setProperty("--ratio", `${part.width || 1} / ${part.height || 1}`);
  if (local) preview(local, PICTURE_PX).then((canvas) => (canvas ? frame.append(canvas) : linked(frame, part, text)));
  else linked(frame, part, text);
  return frame;
}

/** Show what the link leads to. Where it has expired the file is still named; the next welcome brings a fresh one. */
function linked(frame, part, text) {
  if (!part.url) return;
  const [width, height] = fitted(part.width || PICTURE_PX, part.height || PICTURE_PX);
  const image = el("img", { src: part.url, alt: "", width, height, loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => frame.replaceWith(document_(part, text, text.text("message.picture_gone"))));
  frame.append(image);
}

function fitted(width, height) {
  const scale = Math.min(1, PICTURE_PX / Math.max(width, height));
  return [Math.max(48, Math.round(width * scale)), Math.max(32, Math.round(height * scale))];
}

function document_(part, text, detail = text.size(part.size)) {
  const inside = [
    icon(part.media.startsWith("image/") ? "image" : "file"),
    el(
      "span",
      { class: "stack" },
      el("span", { class: "label", dir: "auto" }, part.name),
      el("span", { class: "detail" }, detail),
    ),
  ];
  if (!part.url) return el("div", { class: "document" }, ...inside);
  return el(
    "a",
    { class: "document", href: part.url, target: "_blank", rel: "noopener noreferrer", download: part.name },
    ...inside,
    icon("download"),
  );
}
