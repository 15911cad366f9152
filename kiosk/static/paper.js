// The box in which a candidate signs: strokes of [x, y, milliseconds] in the box's own units.
const FEWEST_POINTS = 10;
const MOST_POINTS = 600;
const NEAREST = 6;      // points nearer than this to the one before add nothing

export class Paper {
  #canvas; #pen; #strokes = []; #began = 0; #isDown = false;

  constructor(canvas, onChange) {
    this.#canvas = canvas;
    this.#pen = canvas.getContext("2d");
    this.onChange = onChange;
    canvas.addEventListener("pointerdown", (touched) => this.#down(touched));
    canvas.addEventListener("pointermove", (touched) => this.#move(touched));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { this.#isDown = false; });
  }

  get #count() { return this.#strokes.reduce((sum, stroke) => sum + stroke.length, 0); }

  get isSigned() { return this.#count >= FEWEST_POINTS; }

  get drawn() { return { strokes: this.#strokes, width: this.#canvas.width, height: this.#canvas.height }; }

  wipe() {
    this.#strokes = [];
    this.#isDown = false;
    this.#pen.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.onChange();
  }

  #point(touched) {
    const box = this.#canvas.getBoundingClientRect();
    const within = (value, most) => Math.round(Math.min(Math.max(value, 0), 1) * most);
    if (!this.#strokes.length) this.#began = touched.timeStamp;
    return [
      within((touched.clientX - box.left) / box.width, this.#canvas.width),
      within((touched.clientY - box.top) / box.height, this.#canvas.height),
      Math.min(Math.round(touched.timeStamp - this.#began), 599999),
    ];
  }

  #down(touched) {
    if (this.#count >= MOST_POINTS) return;
    this.#canvas.setPointerCapture(touched.pointerId);
    const point = this.#point(touched);
    this.#isDown = true;
    this.#strokes.push([point]);
    this.onChange();
  }

  #move(touched) {
    if (!this.#isDown || this.#count >= MOST_POINTS) return;
    const [stroke, point] = [this.#strokes.at(-1), this.#point(touched)];
    const [x, y] = stroke.at(-1);
    if (Math.hypot(point[0] - x, point[1] - y) < NEAREST) return;
    stroke.push(point);
    this.#draw(x, y, point);
    this.onChange();
  }

  #draw(x, y, point) {
    Object.assign(this.#pen, { lineWidth: 10, lineCap: "round", lineJoin: "round", strokeStyle: getComputedStyle(this.#canvas).color });
    this.#pen.beginPath();
    this.#pen.moveTo(x, y);
    this.#pen.lineTo(point[0], point[1]);
    this.#pen.stroke();
  }
}
