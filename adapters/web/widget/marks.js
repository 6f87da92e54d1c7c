/*
 * An operator's words with the marks that stand beside them. The words are complete without any; a mark only says how
 * some of them are drawn. Nothing is ever looked for in the words themselves, and everything is made of elements.
 */

import { el } from "./dom.js";

const STYLES = { code: "code", strike: "s", italic: "em", bold: "strong" }; // from the inside out
const BLOCKS = ["pre", "quote", "item"];
const LEADS = /^(?:https?:\/\/|mailto:)/i;

/** The nodes for `text`. `write` makes the nodes of plain words. */
export function drawn(text, marks, write) {
  if (!marks?.length) return write(text);
  const signs = [...text]; // marks count code points
  const words = new Words(signs, marks, write);
  const page = new Page();
  const runs = words.runs();
  runs.forEach((run, place) => words.separate(run, place > 0, place < runs.length - 1));
  for (const run of runs) if (run.start < run.end) page.add(run, words.inline(run));
  return page.nodes;
}

class Words {
  constructor(signs, marks, write) {
    this.signs = signs;
    this.write = write;
    const known = marks.filter(({ start, end }) => start >= 0 && start < end && end <= signs.length);
    this.marks = known.map((mark) => ({ ...mark, to: mark.to ?? "" })).filter((mark) => mark.start >= label(mark));
  }

  slice(start, end) {
    return this.signs.slice(start, end).join("");
  }

  /** Stretches that stand in one element: code, a quote, an item of a list, or none of them. */
  runs() {
    const blocks = this.marks.filter(({ kind }) => BLOCKS.includes(kind));
    const edges = [0, this.signs.length, ...blocks.flatMap((mark) => [mark.start - label(mark), mark.start, mark.end])];
    return stretches(edges).flatMap(([start, end]) => {
      if (blocks.some((mark) => mark.start - label(mark) <= start && start < mark.start)) return []; // the bullet itself
      const here = blocks.filter((mark) => mark.start <= start && start < mark.end);
      const has = (kind) => here.find((mark) => mark.kind === kind);
      return [{ start, end, pre: !!has("pre"), quote: !!has("quote"), item: has("pre") ? undefined : has("item") }];
    });
  }

  /** Elements begin on lines of their own: the break between two is not drawn twice. */
  separate(run, after, before) {
    if (run.item || run.pre) return;
    if (after && this.signs[run.start] === "\n") run.start += 1;
    if (before && run.start < run.end && this.signs[run.end - 1] === "\n") run.end -= 1;
  }

  inline(run) {
    if (run.pre) return this.write(this.slice(run.start, run.end));
    const links = this.marks.filter(({ kind, to }) => kind === "link" && LEADS.test(to));
    return this.#pieces(run, links).flatMap(([start, end]) => {
      const nodes = this.#styled({ start, end });
      const link = links.find((mark) => mark.start <= start && start < mark.end);
      return link ? [el("a", { href: link.to, target: "_blank", rel: "noopener noreferrer" }, ...nodes)] : nodes;
    });
  }

  #styled(run) {
    const marks = this.marks.filter(({ kind }) => kind in STYLES);
    return this.#pieces(run, marks).flatMap(([start, end]) => {
      const kinds = marks.filter((mark) => mark.start <= start && start < mark.end).map(({ kind }) => kind);
      const tags = Object.keys(STYLES).filter((kind) => kinds.includes(kind)).map((kind) => STYLES[kind]);
      return tags.reduce((inside, tag) => [el(tag, {}, ...inside)], this.write(this.slice(start, end)));
    });
  }

  #pieces({ start, end }, marks) {
    const within = (edge) => Math.min(Math.max(edge, start), end);
    return stretches([start, end, ...marks.flatMap((mark) => [within(mark.start), within(mark.end)])]);
  }
}

function label({ kind, to }) {
  return kind === "item" ? [...to].length : 0;
}

function stretches(edges) {
  const sorted = [...new Set(edges)].sort((a, b) => a - b);
  return sorted.slice(1).map((end, place) => [sorted[place], end]);
}

/** The elements in their order; quotes hold what is quoted, lists nest by their levels. */
class Page {
  nodes = [];
  #quote = null;
  #lists = [];

  add(run, nodes) {
    if (!run.quote) this.#quote = null;
    else if (!this.#quote) this.#put([(this.#quote = el("blockquote"))], false);
    if (run.item) this.#item(run, nodes);
    else this.#put(run.pre ? [el("pre", {}, ...nodes)] : this.#after(run, nodes), run.quote);
  }

  /** Words after words: the break between them was theirs. */
  #after(run, nodes) {
    const last = run.quote ? this.#quote.lastChild : this.nodes.at(-1);
    return last && !(last instanceof Element && isBlock(last)) ? ["\n", ...nodes] : nodes;
  }

  #put(nodes, quoted) {
    this.#lists = [];
    if (quoted) this.#quote.append(...nodes);
    else this.nodes.push(...nodes);
  }

  #item({ item, quote }, nodes) {
    const mark = item.to.trim();
    const number = /^\d+/.exec(mark)?.[0];
    const [level, tag] = [(item.to.length - item.to.trimStart().length) >> 1, number ? "ol" : "ul"];
    if (this.#lists.length && this.#lists[0].quote !== quote) this.#lists = [];
    while (this.#lists.length && !fits(this.#lists.at(-1), level, tag)) this.#lists.pop();
    let list = this.#lists.at(-1);
    if (!list || list.level < level) {
      const under = list?.item;
      list = { level, tag, quote, element: el(tag) };
      if (under) under.append(list.element);
      else if (quote) this.#quote.append(list.element);
      else this.nodes.push(list.element);
      this.#lists.push(list);
    }
    list.item = el("li", { value: number }, ...nodes);
    list.element.append(list.item);
  }
}

function fits(list, level, tag) {
  return list.level < level || (list.level === level && list.tag === tag);
}

function isBlock(element) {
  return ["UL", "OL", "PRE", "BLOCKQUOTE"].includes(element.tagName);
}
