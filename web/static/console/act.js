// Buttons that do something: data-post names the address, data-body the JSON. Those with data-hold act
// only after being held for a second, by finger or by key; one without data-post sends the form it stands in.

import { refresh } from "./live.js";

const HOLD_MS = 1000;

export async function post(address, body) {
  return fetch(address, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json",
      "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content,
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(8000),
  });
}

// `see`: a link to where the trouble can be settled.
export function tell(kind, words, see) {
  const place = document.getElementById("answer");
  place.className = `notice notice-${kind}`;
  place.textContent = words;
  if (see) {
    const link = place.appendChild(document.createElement("a"));
    link.href = see.address;
    link.textContent = see.words;
  }
  place.hidden = !words;
}

async function refused(answer) {
  const told = await answer.json().catch(() => ({}));
  const room = Object.values(told.rooms ?? {}).find((one) => one.advice);
  tell("bad", told.advice ?? room?.advice ?? "没有成功，请稍后再试。", told.see);
}

function submit(form) {
  if (!form.reportValidity()) return;
  form.dataset.held = "";
  form.requestSubmit();
}

async function act(button) {
  if (!button.dataset.post) return submit(button.form);
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    const answer = await post(button.dataset.post, JSON.parse(button.dataset.body || "{}"));
    if (answer.ok) tell("good", "");
    else await refused(answer);
  } catch {
    tell("bad", "连接中断，操作没有送达。请检查网络后再试。");
  } finally {
    button.removeAttribute("aria-disabled");
    refresh();
  }
}

let held = null;

function begin(button) {
  if (held) return;
  const meter = button.querySelector("progress");
  const from = performance.now();
  const step = () => {
    const part = (performance.now() - from) / HOLD_MS;
    meter.value = Math.min(part, 1) * 100;
    if (part < 1) {
      held.frame = requestAnimationFrame(step);
    } else {
      end();
      act(button);
    }
  };
  held = { button, meter, frame: requestAnimationFrame(step) };
}

function end() {
  if (!held) return;
  cancelAnimationFrame(held.frame);
  held.meter.value = 0;
  held = null;
}

addEventListener("pointerdown", (event) => {
  const button = event.target.closest("[data-hold]");
  if (button && event.button === 0) begin(button);
});
for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, end);
addEventListener("pointermove", (event) => {
  if (held && !held.button.contains(document.elementFromPoint(event.clientX, event.clientY))) end();
});
addEventListener("keydown", (event) => {
  const button = event.target.closest?.("[data-hold]");
  if (!button || (event.key !== "Enter" && event.key !== " ")) return;
  event.preventDefault();
  if (!event.repeat) begin(button);
});
addEventListener("keyup", end);
addEventListener("contextmenu", (event) => {
  if (event.target.closest("[data-hold]")) event.preventDefault();
});
addEventListener("click", (event) => {
  const button = event.target.closest("[data-post]");
  if (button && !("hold" in button.dataset)) act(button);
});
