// Building the page. Words become text nodes and nothing else: there is no way from here to HTML.

/** An element. `on…` are listeners, `class` and `data` as they sound, booleans set or leave out an attribute. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) set(element, name, value);
  element.append(...shown(children));
  return element;
}

/** Put `children` into `parent` in place of what was there. What is absent (`cond && el(…)`) is left out, as in `el`:
    the browser's own `replaceChildren` would print "false". */
export function fill(parent, ...children) {
  parent.replaceChildren(...shown(children));
}

function shown(children) {
  return children.flat().filter((child) => child !== null && child !== undefined && child !== false);
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "class") element.className = value;
  else if (name === "data") Object.assign(element.dataset, value);
  else if (name === "value") element.value = value;
  else element.setAttribute(name, value === true ? "" : value);
}

/** A line drawing of ours, by name. It decorates: whatever holds it has a name of its own. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  attach: "M14.500 9.500 9 15a3.500 3.500 0 0 1-5-5l6.500-6.500a2.300 2.300 0 0 1 3.300 3.300L7.500 13a1.100 1.100 0 0 1-1.600-1.600L11.500 6",
  back: "M12 4 6 10l6 6",
  close: "m5 5 10 10M15 5 5 15",
  details: "M10 9v5M10 6.200v.1M10 17.500a7.500 7.500 0 1 0 0-15 7.500 7.500 0 0 0 0 15Z",
  menu: "M3 5.500h14M3 10h14M3 14.500h14",
  ready: "M3.500 3.500h13v9.500H9l-4 3.500V13H3.500zM6.500 7h7M6.500 9.800h4.500",
  search: "M8.500 14a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11ZM13 13l4 4",
  verified: "M10 2.500 4 5v4.500c0 4 2.500 6.600 6 8 3.500-1.400 6-4 6-8V5l-6-2.500ZM7.300 9.800l2 2 3.600-3.800",
  file: "M5 2.500h6.500L15 6v11.500H5zM11.500 2.500V6H15",
};

/** Put `children` into `parent`. What goes is taken out first, so that nothing that stays has to be moved. */
export function arrange(parent, children) {
  const staying = new Set(children);
  for (const node of [...parent.childNodes]) if (!staying.has(node)) node.remove();
  let at = parent.firstChild;
  for (const child of children) {
    if (child === at) at = at.nextSibling;
    else parent.insertBefore(child, at);
  }
}

/** A keyed list: a node is made anew only when what it shows has changed. */
export class Keyed {
  constructor(make) {
    this.make = make;
    this.known = new Map();
  }

  nodes(items) {
    const now = new Map();
    for (const { key, ...item } of items) {
      const signature = JSON.stringify(item);
      const before = this.known.get(key);
      now.set(key, before?.signature === signature ? before : { signature, node: this.make(item) });
    }
    this.known = now;
    return [...now.values()].map((entry) => entry.node);
  }
}
