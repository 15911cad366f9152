// Small pictures for finding a moment: one above the pointer on the timeline, and a strip over what it shows.
// They are found by the same grant as the footage; where there is none the server answers without a picture.

import { clockWords } from "./site_time.js";

const STEP_MS = 4000;
const STRIP_SETTLES_MS = 400;

function addressOf(camera, momentMs) {
  const atUs = Math.floor(momentMs / STEP_MS) * STEP_MS * 1000 + (STEP_MS - 1) * 1000;
  return `${camera.dataset.thumbnail}?at=${atUs}`;
}

export class ThumbnailPreview {
  constructor(box) {
    this.box = box;
    this.image = box.querySelector("img");
    this.words = box.querySelector("span");
    this.image.addEventListener("load", () => box.classList.remove("is-empty"));
    this.image.addEventListener("error", () => box.classList.add("is-empty"));
  }

  show(camera, momentMs, clientX, top) {
    const address = addressOf(camera, momentMs);
    if (this.image.getAttribute("src") !== address) this.image.src = address;
    this.words.textContent = `${camera.dataset.label} ${clockWords(momentMs)}`;
    this.box.hidden = false;
    const width = this.box.offsetWidth;
    this.box.style.left = `${Math.min(Math.max(clientX - width / 2, 8), innerWidth - width - 8)}px`;
    this.box.style.top = `${top - this.box.offsetHeight - 8}px`;
  }

  hide() {
    this.box.hidden = true;
  }
}

export class ContactSheet {
  constructor(list, onSeek) {
    this.list = list;
    this.onSeek = onSeek;
    this.buttons = [...list.querySelectorAll("button")];
    this.buttons.forEach((button) => {
      const image = button.querySelector("img");
      image.addEventListener("load", () => button.classList.remove("is-empty"));
      image.addEventListener("error", () => button.classList.add("is-empty"));
      button.addEventListener("click", () => this.onSeek(Number(button.dataset.atMs)));
    });
  }

  // Waits until the view has come to rest: zooming must not ask for a hundred pictures.
  show(camera, fromMs, untilMs) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fill(camera, fromMs, untilMs), STRIP_SETTLES_MS);
  }

  fill(camera, fromMs, untilMs) {
    if (!camera || getComputedStyle(this.list).display === "none") return;
    this.buttons.forEach((button, index) => {
      const atMs = fromMs + ((untilMs - fromMs) * (index + 0.5)) / this.buttons.length;
      button.dataset.atMs = atMs;
      button.setAttribute("aria-label", `${camera.dataset.label} ${clockWords(atMs)}`);
      button.querySelector("img").src = addressOf(camera, atMs);
    });
  }
}
