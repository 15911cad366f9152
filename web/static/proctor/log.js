// A log entry in two touches: a kind and a seat, in either order. Nothing typed is ever lost: the draft and
// what could not be sent yet stay in this browser until the server has them.

import { clockWords, nowMs } from "../console/clock.js";
import { post, tell } from "../console/act.js";
import { refresh } from "../console/live.js";

const section = document.querySelector("[data-log]");
const address = section.dataset.log;
const DRAFT = `kaochang-draft ${address}`;
const OUTBOX = "kaochang-outbox";

const panel = document.getElementById("draft");
const words = document.getElementById("draft-words");
const text = document.getElementById("draft-text");
const hint = document.getElementById("draft-hint");
const save = document.getElementById("draft-save");
const wholeRoom = document.getElementById("draft-room");
const pending = document.getElementById("outbox");

let draft = read(DRAFT, null) ?? empty();
let sending = false;

function empty() {
  return { kind: null, candidate: null, seat: "", wholeRoom: false, text: "", happenedMs: null, corrects: null, correctsWords: "" };
}

function read(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function keep() {
  localStorage.setItem(DRAFT, JSON.stringify(draft));
}

function kindButton() {
  return section.querySelector(`[data-kind="${draft.kind}"]`);
}

function begun() {
  draft.happenedMs ??= nowMs();
}

function missing() {
  const kind = kindButton();
  if (!kind) return "请点选记录种类";
  if (kind.dataset.text === "required" && !draft.text.trim()) return "请填写情况说明";
  if (kind.dataset.concerns === "seat" && !draft.candidate) return "请点选座位";
  if (kind.dataset.concerns === "either" && !draft.candidate && !draft.wholeRoom && !draft.corrects) {
    return "请点选座位，或记为整个考场";
  }
  return "";
}

function show() {
  const kind = kindButton();
  const open = Boolean(kind || draft.candidate || draft.corrects);
  panel.hidden = !open;
  document.body.toggleAttribute("data-drafting", open);
  for (const button of section.querySelectorAll("[data-kind]")) {
    button.setAttribute("aria-pressed", String(button === kind));
    if ("correction" in button.dataset) button.hidden = !draft.corrects;
  }
  for (const seat of document.querySelectorAll("[data-candidate]")) {
    if (draft.candidate === Number(seat.dataset.candidate)) seat.setAttribute("aria-pressed", "true");
    else seat.removeAttribute("aria-pressed");
  }
  document.body.toggleAttribute("data-choosing", Boolean(kind && !draft.candidate && kind.dataset.concerns !== "room"));
  document.body.toggleAttribute("data-correcting", Boolean(draft.corrects));
  if (!open) return;
  const parts = [
    draft.corrects ? `更正（${draft.correctsWords.trim()}）` : clockWords(draft.happenedMs),
    kind?.dataset.word,
    draft.seat || (draft.wholeRoom ? "整个考场" : ""),
  ].filter(Boolean);
  const lacking = missing();
  words.textContent = parts.join(" · ") + (lacking ? `：${lacking}` : "");
  const required = kind?.dataset.text === "required";
  hint.textContent = required ? "必填" : "可不填";
  wholeRoom.hidden = !(kind?.dataset.concerns === "either" && !draft.candidate && !draft.wholeRoom && !draft.corrects);
  save.hidden = !(required || draft.corrects);
  save.disabled = Boolean(lacking);
  if (text.value !== draft.text) text.value = draft.text;
}

function changed({ mayFinish }) {
  keep();
  show();
  const needsSave = kindButton()?.dataset.text === "required" || draft.corrects;
  if (mayFinish && !needsSave && !missing()) finish();
}

function finish() {
  const outbox = read(OUTBOX, []);
  outbox.push({
    address,
    body: {
      nonce: crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join(""),
      kind: draft.kind,
      text: draft.text.trim(),
      candidate_id: draft.candidate,
      happened_at_us: Math.round(draft.happenedMs * 1000),
      corrects_id: draft.corrects,
    },
    draft,
  });
  localStorage.setItem(OUTBOX, JSON.stringify(outbox));
  draft = empty();
  keep();
  show();
  send();
}

// One after the other, oldest first; what the server refuses comes back as a draft with its words.
async function send() {
  if (sending) return;
  sending = true;
  try {
    for (let outbox = read(OUTBOX, []); outbox.length; outbox = read(OUTBOX, [])) {
      const [first] = outbox;
      const answer = await post(first.address, first.body);
      if (![201, 400, 403, 404, 409].includes(answer.status)) return;
      const told = await answer.json().catch(() => ({}));
      if (answer.status === 400 && told.error !== "refused") {
        tell("bad", "页面已过期，请刷新。记录保存在本机，刷新后自动发送。");
        return;
      }
      localStorage.setItem(OUTBOX, JSON.stringify(read(OUTBOX, []).slice(1)));
      if (answer.status !== 201) {
        tell("bad", told.advice ?? "这条记录没有被接受，请修改后再保存。");
        if (first.address === address && !draft.kind && !draft.candidate) draft = first.draft;
      } else {
        tell("good", "");
      }
      keep();
      refresh();
    }
  } catch {
    // Offline: the outbox keeps everything; tried again soon.
  } finally {
    sending = false;
    tellPending();
    show();
  }
}

function tellPending() {
  const waiting = read(OUTBOX, []).length;
  pending.hidden = waiting === 0;
  if (waiting) pending.textContent = `有${waiting}条记录尚未送达，已保存在本机，连接恢复后自动发送。`;
}

section.addEventListener("click", (event) => {
  const kind = event.target.closest("[data-kind]");
  const correct = event.target.closest("[data-correct]");
  if (kind) {
    draft.kind = draft.kind === kind.dataset.kind ? null : kind.dataset.kind;
    begun();
    changed({ mayFinish: true });
    if (kind.dataset.text === "required" && draft.kind) text.focus();
  } else if (correct) {
    draft = { ...empty(), corrects: Number(correct.dataset.correct), correctsWords: correct.dataset.words, happenedMs: Number(correct.dataset.happenedUs) / 1000 };
    changed({ mayFinish: false });
  }
});

document.addEventListener("click", (event) => {
  const seat = event.target.closest("[data-candidate]");
  if (!seat) return;
  const candidate = Number(seat.dataset.candidate);
  const same = draft.candidate === candidate;
  draft.candidate = same ? null : candidate;
  draft.seat = same ? "" : seat.dataset.seat;
  draft.wholeRoom = false;
  begun();
  changed({ mayFinish: true });
});

text.addEventListener("input", () => {
  draft.text = text.value;
  changed({ mayFinish: false });
});
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !missing()) finish();
});
wholeRoom.addEventListener("click", () => {
  draft.wholeRoom = true;
  changed({ mayFinish: true });
});
save.addEventListener("click", () => {
  if (!missing()) finish();
});
document.getElementById("draft-cancel").addEventListener("click", () => {
  draft = empty();
  keep();
  text.value = "";
  show();
});
document.addEventListener("refreshed", show);
addEventListener("online", send);
setInterval(() => read(OUTBOX, []).length && send(), 3000);
show();
tellPending();
send();
