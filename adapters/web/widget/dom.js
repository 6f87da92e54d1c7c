/*
 * Elements without HTML. Text goes in as text and attributes as attributes, so nothing that a person wrote can become
 * markup; no style attribute is ever written, so a strict Content-Security-Policy has nothing to object to.
 */

const SVG = "http://www.w3.org/2000/svg";

/** An element. `on` holds listeners; an attribute that is null, undefined or false is left out, true is "present". */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    } else {
      attribute(element, name, value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Set, or take away, one attribute; nothing is touched when it already stands as wanted. */
export function attribute(element, name, value) {
  if (value === null || value === undefined || value === false) {
    element.removeAttribute(name);
  } else if (element.getAttribute(name) !== (value === true ? "" : String(value))) {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Set an element's text, unless it already says so: what did not change is not announced again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const SHAPES = {
  back: ["M15 5l-7 7 7 7"],
  close: ["M6 6l12 12M18 6L6 18"],
  more: ["M5 12h.01M12 12h.01M19 12h.01"],
  globe: ["M12 3a9 9 0 100 18 9 9 0 000-18z", "M3.5 9.5h17M3.5 14.5h17", "M12 3c-5 5-5 13 0 18 5-5 5-13 0-18z"],
  chevron: ["M9 6l6 6-6 6"],
  down: ["M6 10l6 6 6-6"],
  send: ["M12 19V5", "M6 11l6-6 6 6"],
  attach: ["M20 11.5l-8.2 8.2a5 5 0 01-7-7l8.5-8.6a3.4 3.4 0 014.8 4.8l-8.4 8.4a1.7 1.7 0 01-2.4-2.4l7.6-7.6"],
  copy: ["M9 9h10v11H9z", "M15 9V4H5v11h4"],
  edit: ["M4 20l1-4.5L16.5 4a2 2 0 013 0l.5.5a2 2 0 010 3L8.5 19z", "M14 6.5l3.5 3.5"],
  withdraw: ["M5 7h14M10 7V4.5h4V7", "M6.5 7l.8 13h9.4l.8-13", "M10.2 11v5M13.8 11v5"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  shield: ["M12 3l7 2.7v5.6c0 4.4-2.9 7.9-7 9.7-4.1-1.8-7-5.3-7-9.7V5.7z", "M9 12l2.2 2.2L15.2 10"],
  mail: ["M3.5 6h17v12h-17z", "M4 7l8 6 8-6"],
  phone: ["M6.5 3.5h3l1.5 4-2 1.5a12 12 0 006 6l1.5-2 4 1.5v3a2 2 0 01-2 2A15.5 15.5 0 014.5 5.5a2 2 0 012-2z"],
  help: ["M12 3a9 9 0 100 18 9 9 0 000-18z", "M9.5 9.5c.3-3.3 5-3.2 5 0 0 2-2.5 2.2-2.5 4M12 17h.01"],
  file: ["M6 3h8l5 5v13H6z", "M14 3v5h5"],
  image: ["M4 5h16v14H4z", "M4 16l4.5-4.5 4 4L15 13l5 4.5", "M15.5 9h.01"],
  retry: ["M20 12a8 8 0 11-2.4-5.7", "M20 4v4.5h-4.5"],
  warning: ["M12 4L2.5 20h19z", "M12 10v4.5M12 17.3h.01"],
  text: ["M3 19l5-13 5 13M4.8 14.5h6.4", "M14.5 19l3.2-8 3.3 8M15.6 16.3h4.3"],
  bell: ["M6 16.5v-6a6 6 0 0112 0v6l1.5 2h-15z", "M10 21h4"],
  hash: ["M9 4L7 20M17 4l-2 16M4 9h16.5M3.5 15H20"],
  end: ["M4 5.5h16v11h-8.5L7 20.2v-3.7H4z", "M9.5 8.5l5 5M14.5 8.5l-5 5"],
  chat: ["M4 5.5h16v11h-8.5L7 20.2v-3.7H4z"],
  outside: ["M14 5h5v5", "M19 5l-8 8", "M10 6H5.5v12.5H18V14"],
  info: ["M12 3a9 9 0 100 18 9 9 0 000-18z", "M12 11v5.5M12 7.6h.01"],
  download: ["M12 4v11M7 10.5l5 5 5-5", "M5 20h14"],
};

/** One of our line drawings. It carries no meaning of its own: the control that holds it has a name. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon icon-${name}`);
  for (const shape of SHAPES[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", shape);
    svg.append(path);
  }
  return svg;
}

/** A button with a picture and a name. */
export function iconButton(name, label, click, attributes = {}) {
  return el(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, ...attributes, on: { click } },
    icon(name),
  );
}
