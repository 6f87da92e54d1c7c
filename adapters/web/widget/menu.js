/* What opens above the panel: menus, a question that wants an answer, a picture in full. Escape closes the top one. */

import { el, icon, iconButton } from "./dom.js";

/** One layer at a time over the panel. `ground` is the element that holds it. */
export class Overlay {
  constructor(ground) {
    this.ground = ground;
    this.element = null;
    this.back = null;
  }

  get open() {
    return this.element !== null;
  }

  /** Show an element; focus goes to `focus` in it, and back to where it came from afterwards. */
  show(element, focus, back) {
    this.close();
    this.back = back;
    this.element = element;
    this.ground.append(element);
    focus?.focus();
  }

  close() {
    if (!this.element) return false;
    this.element.remove();
    this.element = null;
    if (this.back?.hasAttribute("aria-expanded")) this.back.setAttribute("aria-expanded", "false");
    if (this.back?.isConnected) this.back.focus();
    return true;
  }
}

/**
 * A menu under `button`. Items: `{icon, label, hint, checked, role, danger, choose}`; a group is an array of items.
 * Arrows, Home and End move, Enter and Space choose, Tab leaves.
 */
export function openMenu(overlay, button, label, groups) {
  const menu = el("div", { class: "menu", role: "menu", "aria-label": label });
  const shade = el("div", { class: "shade clear", on: { click: () => overlay.close() } });
  groups.forEach((group, index) => {
    if (index > 0) menu.append(el("div", { class: "rule", role: "separator" }));
    menu.append(...group.map((item) => menuItem(overlay, item)));
  });
  menu.addEventListener("keydown", (event) => moveInMenu(event, menu, overlay));
  overlay.show(el("div", { class: "layer" }, shade, menu), menu.querySelector("[role^=menuitem]"), button);
  button.setAttribute("aria-expanded", "true");
}

function menuItem(overlay, { icon: name, label, hint, checked, lang, danger, choose }) {
  const role = checked === undefined ? "menuitem" : "menuitemradio";
  const attributes = { type: "button", role, tabindex: "-1", lang, class: danger ? "item danger" : "item" };
  if (checked !== undefined) attributes["aria-checked"] = String(checked);
  const click = () => {
    overlay.close();
    choose();
  };
  return el(
    "button",
    { ...attributes, on: { click } },
    name && icon(name),
    el("span", { class: "label" }, label),
    hint && el("span", { class: "hint" }, hint),
    checked && icon("check"),
  );
}

function moveInMenu(event, menu, overlay) {
  const items = [...menu.querySelectorAll("[role^=menuitem]")];
  const at = items.indexOf(menu.getRootNode().activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (event.key === "Tab") overlay.close();
  if (to === undefined) return;
  event.preventDefault();
  items.at(to % items.length).focus();
}

/** Ask before something that cannot be taken back. Focus begins on the harmless answer. */
export function confirm(overlay, back, { title, text, yes, no, act }) {
  const close = () => overlay.close();
  const stay = el("button", { type: "button", class: "button", on: { click: close } }, no);
  const go = el("button", { type: "button", class: "button primary", on: { click: () => (close(), act()) } }, yes);
  const dialog = el(
    "div",
    { class: "dialog", role: "alertdialog", "aria-modal": "true", "aria-label": title },
    el("h2", {}, title),
    el("p", {}, text),
    el("div", { class: "buttons" }, stay, go),
  );
  dialog.addEventListener("keydown", (event) => keepFocus(event, [stay, go]));
  overlay.show(el("div", { class: "layer" }, el("div", { class: "shade", on: { click: close } }), dialog), stay, back);
}

/** A picture, as large as the panel is. `picture` is an <img> or a <canvas>; `address` is where the file can be had. */
export function view(overlay, back, { picture, name, address, closeLabel, downloadLabel }) {
  const close = iconButton("close", closeLabel, () => overlay.close());
  const download =
    address &&
    el(
      "a",
      {
        class: "icon-button",
        href: address,
        download: name,
        target: "_blank",
        rel: "noopener noreferrer",
        "aria-label": downloadLabel,
        title: downloadLabel,
      },
      icon("download"),
    );
  const bar = el("div", { class: "viewer-bar" }, el("span", { class: "viewer-name" }, name), download, close);
  const dialog = el(
    "div",
    { class: "viewer", role: "dialog", "aria-modal": "true", "aria-label": name },
    bar,
    el("div", { class: "viewer-stage", on: { click: () => overlay.close() } }, picture),
  );
  dialog.addEventListener("keydown", (event) => keepFocus(event, [download, close].filter(Boolean)));
  overlay.show(el("div", { class: "layer" }, dialog), close, back);
}

/** Tab goes round among the controls of a modal layer. */
export function keepFocus(event, controls) {
  if (event.key !== "Tab" || controls.length === 0) return;
  const active = controls[0].getRootNode().activeElement;
  const edge = event.shiftKey ? controls[0] : controls.at(-1);
  if (active !== edge && controls.includes(active)) return;
  event.preventDefault();
  (event.shiftKey ? controls.at(-1) : controls[0]).focus();
}
