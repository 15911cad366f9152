// Forms that sign something: data-json names the address, data-body what is fixed, and each filled field is a part
// of the JSON. A name with a dot goes one level down; data-as tells numbers and yes from words. What was typed
// stays until it has been kept.

import { post, tell } from "./act.js";
import { refresh } from "./live.js";

const INCOMPLETE = "填写的内容不完整或不正确，没有办理。请核对号码和必填的各项。";
const LOST =
  "连接中断，不知道是否已经办理。恢复后请看页面是否已经更新；没有更新的再按一次，不会重复办理。";
const TRIES = 3;
const AGAIN_MS = 1000;
const AS = { number: Number, yes: (value) => value === "yes" };

function put(body, name, value) {
  const [first, second] = name.split(".");
  if (second) put((body[first] ??= {}), second, value);
  else body[first] = value;
}

// The same words sent again are the same request; other words are another one. Passwords do not stay in the form.
function nonceOf(form) {
  const said = JSON.stringify([...new FormData(form)].filter(([name]) => form.elements[name].type !== "password"));
  if (form.dataset.said !== said) delete form.dataset.nonce;
  form.dataset.said = said;
  form.dataset.nonce ??= [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
  return form.dataset.nonce;
}

function bodyOf(form) {
  const body = JSON.parse(form.dataset.body || "{}");
  if ("once" in form.dataset) body.nonce = nonceOf(form);
  for (const [name, value] of new FormData(form)) {
    if (value === "") continue;
    put(body, name, (AS[form.elements[name].dataset?.as] ?? String)(value));
  }
  return body;
}

// With a nonce the same request may be sent again: an answer that was lost on the way is given once more.
async function asked(form, body) {
  let tries = "once" in form.dataset ? TRIES : 1;
  for (;;) {
    try {
      return await post(form.dataset.json, body);
    } catch (error) {
      if (--tries === 0) throw error;
      await new Promise((go) => setTimeout(go, AGAIN_MS));
    }
  }
}

async function send(form) {
  if (form.dataset.sending) return;
  form.dataset.sending = "1";
  try {
    const answer = await asked(form, bodyOf(form));
    const told = await answer.json().catch(() => ({}));
    if (answer.ok) done(form, told.told);
    // A refusal of the rule has words of its own; a body that cannot be read has only the page's.
    else refused(form, told.code === 400 ? { advice: INCOMPLETE } : told);
  } catch {
    tell("bad", LOST);
  } finally {
    delete form.dataset.sending;
    for (const field of form.querySelectorAll('input[type="password"]')) field.value = "";
  }
}

// What the candidate is answered, where the act makes an answer: he may be turned away although the act was done.
const LET_IN = ["A", "I"];

function done(form, answer) {
  delete form.dataset.nonce;
  form.reset();
  form.closest("details")?.removeAttribute("open");
  const kind = !answer || LET_IN.includes(answer.kind) ? "good" : "bad";
  const words = [kind === "good" && form.dataset.done, answer && `请告诉考生：${answer.title}。${answer.line}`];
  tell(kind, words.filter(Boolean).join(" "));
  document.getElementById("answer").scrollIntoView({ block: "nearest" });
  refresh();
}

function refused(form, told) {
  // The answer to this nonce was a refusal and is not kept: the next try may be about something else.
  delete form.dataset.nonce;
  tell("bad", told.advice ?? "没有成功，请稍后再试。");
  document.getElementById("answer").scrollIntoView({ block: "nearest" });
  refresh();
}

addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-json]");
  if (!form) return;
  event.preventDefault();
  const button = form.querySelector("[data-hold]");
  if (button && !("held" in form.dataset)) return button.focus();
  delete form.dataset.held;
  send(form);
});
