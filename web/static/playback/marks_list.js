// The list of marks beside the pictures: one press on a line shows its moment from every camera.

import { clockWords } from "./site_time.js";

const SVG = "http://www.w3.org/2000/svg";

export class MarksList {
  constructor(root, onMark) {
    this.root = root;
    this.onMark = onMark;
    this.marks = [];
    this.known = "";
    this.current = null;
    this.filters = [...document.querySelectorAll("[data-filter]")];
    for (const filter of this.filters) filter.addEventListener("change", () => this.filter());
  }

  show(marks) {
    const known = JSON.stringify(marks);
    if (known === this.known) return;
    this.known = known;
    this.marks = marks;
    this.current = null;
    this.root.replaceChildren(...marks.map((mark) => this.line(mark)));
    document.getElementById("no-marks").hidden = marks.length > 0;
    for (const filter of this.filters) {
      const count = marks.filter((mark) => filter.dataset.filter.split(" ").includes(mark.kind)).length;
      filter.closest("label").querySelector(".count").textContent = count;
    }
    this.filter();
  }

  line(mark) {
    const line = document.createElement("li");
    line.dataset.kind = mark.kind;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "mark-line";
    button.dataset.mark = mark.id;
    const time = document.createElement("time");
    time.textContent = clockWords(mark.atMs);
    const words = document.createElement("span");
    words.className = "mark-words";
    const title = document.createElement("strong");
    title.textContent = mark.title;
    words.append(title, mark.text ? ` ${mark.text}` : "");
    button.append(time, shape(mark), words);
    button.addEventListener("click", () => this.onMark(mark));
    line.append(button);
    return line;
  }

  filter() {
    const shown = new Set(this.filters.filter((filter) => filter.checked).flatMap((filter) => filter.dataset.filter.split(" ")));
    for (const line of this.root.children) line.hidden = !shown.has(line.dataset.kind);
  }

  // The last mark before the moment is the current one; it is kept in sight unless somebody is using the list.
  follow(momentMs) {
    const current = this.marks.findLastIndex((mark) => mark.atMs <= momentMs + 50);
    if (current === this.current) return;
    this.current = current;
    this.root.querySelector("[aria-current]")?.removeAttribute("aria-current");
    const button = this.root.children[current]?.querySelector("button");
    button?.setAttribute("aria-current", "true");
    if (button && !this.root.matches(":hover, :focus-within")) button.scrollIntoView({ block: "nearest" });
  }

  // The next visible mark in a direction, or null.
  neighbour(momentMs, direction) {
    const visible = this.marks.filter((_, index) => !this.root.children[index].hidden);
    return direction > 0
      ? visible.find((mark) => mark.atMs > momentMs) ?? null
      : visible.findLast((mark) => mark.atMs < momentMs) ?? null;
  }
}

function shape(mark) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("class", `mark-shape mark-${mark.kind}`);
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", mark.kindWords);
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#mark-${mark.kind}`);
  drawing.append(use);
  return drawing;
}
