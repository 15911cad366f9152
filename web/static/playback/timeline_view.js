// The drawn timeline: marks in three rows, one bar of footage per camera, absence hatched with its cause.
// The marks here are for eyes and mouse; the list beside the pictures says the same to everybody.

import { clockWords, dayStart, minuteWords } from "./site_time.js";

const SVG = "http://www.w3.org/2000/svg";
const LABEL_PX = 112;
const AXIS_PX = 28;
const MARK_PX = 26;
const LANE_PX = 24;
const CROWDED_PX = 14;
const TROUBLE_WORDS_PX = 72;
const ROWS = [
  { label: "签到", kinds: ["admitted", "referred", "refused", "noted"] },
  { label: "播报", kinds: ["signal", "missed_signal"] },
  { label: "日志", kinds: ["log_entry"] },
];
const TICKS_MS = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200].map((seconds) => seconds * 1000);
const TICK_PX = 90;
const SHORTEST_VIEW_MS = 10_000;

function svg(name, attributes = {}, parent = null) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

export class TimelineView {
  // `onSeek(momentMs)` when a moment is pressed, `onMark(mark)` when a mark is, `onPoint(place)` while the
  // pointer is over a moment (null when it leaves), `onView(fromMs, untilMs)` when another stretch is shown.
  constructor(root, { fromMs, untilMs, onSeek, onMark, onPoint, onView }) {
    this.root = root;
    this.tip = document.getElementById("timeline-tip");
    this.onSeek = onSeek;
    this.onMark = onMark;
    this.onPoint = onPoint;
    this.onView = onView;
    this.wholeFromMs = fromMs;
    this.wholeUntilMs = untilMs;
    this.fromMs = fromMs;
    this.untilMs = untilMs;
    this.model = { cameras: [], marks: [] };
    this.nowMs = fromMs;
    this.drawing = svg("g");
    this.head = svg("g", { class: "playhead", "aria-hidden": "true" });
    svg("line", { y1: 0, y2: 0 }, this.head);
    svg("path", { d: "M-7 0h14l-7 10z" }, this.head);
    root.append(this.drawing, this.head);
    new ResizeObserver(() => this.draw()).observe(root);
    this.listen();
  }

  get widthPx() {
    return Math.max(this.root.clientWidth - LABEL_PX - 8, 100);
  }

  x(momentMs) {
    return LABEL_PX + ((momentMs - this.fromMs) / (this.untilMs - this.fromMs)) * this.widthPx;
  }

  momentAt(clientX) {
    const along = (clientX - this.root.getBoundingClientRect().left - LABEL_PX) / this.widthPx;
    return this.fromMs + Math.min(Math.max(along, 0), 1) * (this.untilMs - this.fromMs);
  }

  show(model) {
    this.model = model;
    this.draw();
  }

  // Shows this much time around a moment; Infinity shows everything.
  zoom(lengthMs, aroundMs) {
    const whole = this.wholeUntilMs - this.wholeFromMs;
    const length = Math.min(Math.max(lengthMs, SHORTEST_VIEW_MS), whole);
    const from = Math.min(Math.max(aroundMs - length / 2, this.wholeFromMs), this.wholeUntilMs - length);
    this.fromMs = from;
    this.untilMs = from + length;
    this.draw();
  }

  movePlayhead(momentMs) {
    const isMoved = momentMs !== this.nowMs;
    this.nowMs = momentMs;
    if (isMoved && !this.dragging && (momentMs < this.fromMs || momentMs > this.untilMs)) {
      const length = this.untilMs - this.fromMs;
      this.zoom(length, momentMs + length * 0.4);
    }
    this.head.setAttribute("transform", `translate(${this.x(momentMs)} 0)`);
  }

  draw() {
    const focused = document.activeElement?.dataset?.part;
    const marksTop = AXIS_PX;
    const lanesTop = marksTop + ROWS.length * MARK_PX + 8;
    const height = lanesTop + this.model.cameras.length * LANE_PX + 4;
    this.root.setAttribute("height", height);
    this.head.firstChild.setAttribute("y2", height);
    this.drawing.replaceChildren();
    this.drawAxis(height);
    ROWS.forEach((row, index) => this.drawMarks(row, marksTop + index * MARK_PX));
    this.model.cameras.forEach((camera, index) => this.drawLane(camera, lanesTop + index * LANE_PX));
    this.movePlayhead(this.nowMs);
    this.onView(this.fromMs, this.untilMs);
    if (focused) this.root.querySelector(`[data-part="${focused}"]`)?.focus();
  }

  drawAxis(height) {
    const axis = svg("g", { class: "axis", "aria-hidden": "true" }, this.drawing);
    const perPx = (this.untilMs - this.fromMs) / this.widthPx;
    const step = TICKS_MS.find((tick) => tick / perPx >= TICK_PX) ?? TICKS_MS.at(-1);
    const words = step < 60_000 ? clockWords : minuteWords;
    const origin = dayStart(this.fromMs);
    for (let at = origin + Math.ceil((this.fromMs - origin) / step) * step; at <= this.untilMs; at += step) {
      const x = this.x(at);
      svg("line", { x1: x, x2: x, y1: AXIS_PX - 6, y2: height }, axis);
      svg("text", { x, y: AXIS_PX - 10, "text-anchor": "middle" }, axis).textContent = words(at);
    }
  }

  rowLabel(text, y) {
    svg("text", { class: "row-label", x: 4, y, "aria-hidden": "true" }, this.drawing).textContent = text;
  }

  drawMarks(row, top) {
    const middle = top + MARK_PX / 2;
    this.rowLabel(row.label, middle + 5);
    const group = svg("g", { class: "marks", "aria-hidden": "true" }, this.drawing);
    const visible = this.model.marks.filter(
      (mark) => row.kinds.includes(mark.kind) && mark.atMs >= this.fromMs && mark.atMs <= this.untilMs,
    );
    for (const crowd of crowds(visible, (mark) => this.x(mark.atMs))) this.drawCrowd(group, crowd, middle);
  }

  drawCrowd(group, crowd, middle) {
    const [first] = crowd;
    const shape = svg("g", { class: `mark mark-${first.kind}`, transform: `translate(${this.x(first.atMs)} ${middle})` }, group);
    shape.dataset.mark = first.id;
    svg("rect", { class: "grip", x: -12, y: -12, width: 24, height: 24 }, shape);
    svg("use", { href: `#mark-${first.kind}`, x: -9, y: -9, width: 18, height: 18 }, shape);
    if (crowd.length > 1) svg("text", { x: 8, y: -3 }, shape).textContent = crowd.length;
    const words = crowd.slice(0, 6).map((mark) => `${clockWords(mark.atMs)} ${mark.title} ${mark.text}`.trim());
    if (crowd.length > 6) words.push(`共${crowd.length}条，请放大时间轴`);
    shape.addEventListener("pointerdown", (press) => press.stopPropagation());
    shape.addEventListener("click", () => this.onMark(first));
    this.explain(shape, words);
  }

  drawLane(camera, top) {
    this.rowLabel(camera.label, top + LANE_PX / 2 + 5);
    const lane = svg("g", { class: "lane" }, this.drawing);
    for (const part of camera.parts) {
      if (part.kind === "future" || part.untilMs <= this.fromMs || part.fromMs >= this.untilMs) continue;
      const x = this.x(Math.max(part.fromMs, this.fromMs));
      const width = Math.max(this.x(Math.min(part.untilMs, this.untilMs)) - x, 1.5);
      const bar = svg("rect", { class: `part part-${part.kind}`, x, y: top + 3, width, height: LANE_PX - 6 }, lane);
      if (part.kind !== "footage") this.drawAbsence(bar, camera, part);
    }
    for (const trouble of camera.troubles) this.drawTrouble(lane, camera, trouble, top);
  }

  // A thin band below the footage: the picture was there, but something was wrong with it.
  drawTrouble(lane, camera, trouble, top) {
    if (trouble.untilMs <= this.fromMs || trouble.fromMs >= this.untilMs) return;
    const x = this.x(Math.max(trouble.fromMs, this.fromMs));
    const width = Math.max(this.x(Math.min(trouble.untilMs, this.untilMs)) - x, 3);
    const band = svg("rect", { class: "trouble", x, y: top + LANE_PX - 9, width, height: 7 }, lane);
    this.drawAbsence(band, camera, { ...trouble, kind: `trouble-${trouble.kind}` });
    if (width < TROUBLE_WORDS_PX) return;
    svg("text", { class: "trouble-words", x: x + 4, y: top + LANE_PX - 11, "aria-hidden": "true" }, lane).textContent = trouble.words;
  }

  drawAbsence(bar, camera, part) {
    const words = absenceWords(part);
    const times = `${clockWords(part.fromMs)}至${clockWords(part.untilMs)}`;
    bar.setAttribute("tabindex", "0");
    bar.setAttribute("role", "img");
    bar.setAttribute("aria-label", `${camera.label} ${times} ${words}`);
    bar.dataset.part = `${camera.uuid}-${part.kind}-${part.fromMs}`;
    this.explain(bar, [camera.label, times, words]);
  }

  explain(shape, lines) {
    const show = () => this.showTip(shape, lines);
    const hide = () => { this.tip.hidden = true; };
    shape.addEventListener("pointerenter", show);
    shape.addEventListener("focus", show);
    shape.addEventListener("pointerleave", hide);
    shape.addEventListener("blur", hide);
  }

  showTip(shape, lines) {
    this.tip.replaceChildren(...lines.map((line) => {
      const row = document.createElement("span");
      row.textContent = line;
      return row;
    }));
    this.tip.hidden = false;
    const at = shape.getBoundingClientRect();
    const box = this.tip.getBoundingClientRect();
    const left = Math.min(Math.max(at.left + at.width / 2 - box.width / 2, 8), innerWidth - box.width - 8);
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${at.top - box.height - 8}px`;
  }

  // Which moment and which camera's lane the pointer is over; no camera above the lanes.
  point(press) {
    const box = this.root.getBoundingClientRect();
    if (press.clientX < box.left + LABEL_PX) return this.onPoint(null);
    const lane = Math.floor((press.clientY - box.top - AXIS_PX - ROWS.length * MARK_PX - 8) / LANE_PX);
    const uuid = this.model.cameras[lane]?.uuid ?? null;
    return this.onPoint({ momentMs: this.momentAt(press.clientX), uuid, clientX: press.clientX, top: box.top });
  }

  listen() {
    this.dragging = false;
    const seek = (press) => this.onSeek(this.momentAt(press.clientX));
    this.root.addEventListener("pointerdown", (press) => {
      if (press.button !== 0) return;
      this.dragging = true;
      this.root.setPointerCapture(press.pointerId);
      seek(press);
    });
    this.root.addEventListener("pointermove", (press) => {
      if (this.dragging) seek(press);
      this.point(press);
    });
    this.root.addEventListener("pointerleave", () => this.onPoint(null));
    for (const end of ["pointerup", "pointercancel"]) {
      this.root.addEventListener(end, () => { this.dragging = false; });
    }
    this.root.addEventListener("wheel", (turn) => {
      turn.preventDefault();
      const around = this.momentAt(turn.clientX);
      const length = (this.untilMs - this.fromMs) * (turn.deltaY > 0 ? 1.25 : 0.8);
      const along = (around - this.fromMs) / (this.untilMs - this.fromMs);
      this.zoom(length, around + length * (0.5 - along));
    }, { passive: false });
  }
}

// Marks that would lie on one another are drawn as one with a count.
function crowds(marks, position) {
  const found = [];
  for (const mark of marks) {
    const last = found.at(-1);
    if (last && position(mark) - position(last[0]) < CROWDED_PX) last.push(mark);
    else found.push([mark]);
  }
  return found;
}

// What is said instead of a picture.
export function absenceWords(part) {
  return part.kind === "gap" || part.kind === "unreadable" || part.kind === "disposed" || part.kind === "unrecorded"
    ? `此时段无录像：${part.words}`
    : part.words;
}
