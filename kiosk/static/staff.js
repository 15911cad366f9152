// The staff page: whose PIN, the PIN, looking somebody up. A PIN lives in one variable and is never drawn.
import { Acts } from "./staff_acts.js";
import { at, button, item, line, send } from "./staff_page.js";

const PIN_DIGITS = 6;
const LEAVE_MS = 60000;          // nobody touches it: back to the candidates
const TITLES = { number: "请输入您的签到工号", pin: "请输入6位签到口令", lookup: "查找考生" };
const NUMBER_HELP = "在控制台“签到口令”页面可以看到";
const PIN_HELP = "口令不会显示";
const HELP = { number: NUMBER_HELP, pin: PIN_HELP, "second-number": NUMBER_HELP, "second-pin": PIN_HELP, lookup: "座位号、准考证号后5位或证件号码后6位" };
const LONGEST = { number: 6, pin: PIN_DIGITS, lookup: 12, "second-number": 6, "second-pin": PIN_DIGITS };
const LEAVE_WORDS = { lookup: "锁定", pin: "换人" };

let view = "number";
let person = 0;
let entry = "";
let touchedAt = performance.now();
let locked = Promise.resolve();  // this machine's word that nobody is identified here any more

const isPin = () => view === "pin" || view === "second-pin";
const acts = new Acts({ show: (name, title, message) => show(name, message, title), lock: (words) => start(words), get view() { return view; } });

function show(name, message = "", title = "") {
  view = name;
  entry = "";
  document.body.dataset.view = name;
  at("title").textContent = title || TITLES[name];
  at("message").textContent = message;
  at("help").textContent = HELP[name] ?? "";
  at("leave").textContent = LEAVE_WORDS[name] ?? "";
  at("quit").textContent = name === "acts" ? "返回查找" : "返回，不办理";
  for (const part of document.querySelectorAll("[data-shown-in]")) part.hidden = !part.dataset.shownIn.split(" ").includes(name);
  if (name === "number" || name === "pin") forget();
  if (name !== "lookup") at("found").replaceChildren();  // may be something else by the time it is looked at again
  document.querySelector('[data-key="X"]').disabled = name !== "lookup";
  at("leave").hidden = !(name in LEAVE_WORDS);
  draw();
}

// Nobody is named on a page that belongs to nobody.
function forget() {
  for (const part of ["found", "aside", "acts", "options", "summary"]) at(part).replaceChildren();
}

function draw() {
  at("typed").textContent = isPin() ? "●".repeat(entry.length) + "○".repeat(PIN_DIGITS - entry.length) : entry;
  at("confirm").disabled = isPin() ? entry.length !== PIN_DIGITS : entry.length === 0;
  at("confirm").textContent = view === "lookup" ? "查找" : "确定";
}

function type(character) {
  if (!(view in LONGEST) || entry.length >= LONGEST[view] || (view !== "lookup" && character === "X")) return;
  entry += character;
  draw();
}

async function confirmEntry() {
  const typed = entry;
  entry = "";
  draw();
  if (view === "number") {
    person = Number(typed);
    show("pin");
  } else if (view === "pin") {
    at("message").textContent = "正在核对";
    await locked;
    const told = await send("/local/staff/unlock", { number: person, pin: typed });
    show(told.isGood ? "lookup" : "pin", told.words);
    if (told.isGood) showAside();
  } else if (view === "lookup") {
    const told = await send("/local/staff/lookup", { words: typed });
    if (!told.isGood) { start(told.words); return; }
    at("message").textContent = told.found.length ? told.alone : "名单中没有找到。请核对后再试，或在控制台查询。";
    at("help").textContent = `已查找 ${typed}：${told.found.length}人`;
    at("found").replaceChildren(...told.found.map(card));
  } else acts.typed(view, typed);
}

async function showAside() {
  const { aside } = await state();
  at("aside-box").hidden = !aside.length;
  at("aside").replaceChildren(...aside.map((one) => item(line("strong", one.at), line("p", one.problem))));
}

async function state() {
  const answer = await fetch("/local/staff/state").catch(() => null);
  return answer?.ok ? answer.json() : { open: "", ready: true, aside: [] };
}

function card(found) {
  const lines = found.places.flatMap((place) => {
    const where = [place.room, place.directions && `（${place.directions}）`, ` ${place.place}号`].filter(Boolean).join("");
    const told = line("p", `${place.starts}　${where}　${place.admitted ? `✔ ${place.admitted} 已签到` : "未签到"}`);
    return [told, button("办理…", () => acts.open(found, place))];
  });
  return item(
    line("strong", found.name),
    line("p", `准考证号后5位 ${found.ticket_tail}　证件号码后6位 ${found.id_tail}`),
    found.is_blocked && line("p", "✖ 不得入场，请报告现场负责人", "barred"),
    ...lines,
  );
}

// Asks for the next number at once: what is typed while the lock is on its way must not be lost.
function leave() {
  locked = send("/local/staff/lock", {});
  start();
}

async function start(message = "") {
  person = 0;
  show("number", message);
  const { ready } = await state();
  if (!ready) at("message").textContent = message || "本机没有名单，或还没有人设置签到口令。";
}

document.addEventListener("keydown", (pressed) => {
  if (/^[0-9xX]$/.test(pressed.key)) type(pressed.key.toUpperCase());
  else if (pressed.key === "Backspace") { entry = entry.slice(0, -1); draw(); }
});
document.addEventListener("pointerdown", () => { touchedAt = performance.now(); });
for (const key of document.querySelectorAll("[data-key]")) {
  key.addEventListener("click", () => type(key.dataset.key));
  key.disabled = false;  // a key that nobody listens to yet must not look as if it worked
}
at("erase").addEventListener("click", () => { entry = entry.slice(0, -1); draw(); });
at("confirm").addEventListener("click", confirmEntry);
at("leave").addEventListener("click", leave);
at("quit").addEventListener("click", () => (view === "acts" ? show("lookup") : acts.show()));
at("back").addEventListener("click", async (pressed) => { pressed.preventDefault(); await send("/local/staff/lock", {}); location.href = "/"; });
setInterval(async () => {
  if (performance.now() - touchedAt < LEAVE_MS) return;
  await send("/local/staff/lock", {});
  location.href = "/";
}, 1000);
leave();  // whoever opens this page anew has to prove himself anew
