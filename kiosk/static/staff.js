// The staff page: whose PIN, the PIN, looking somebody up. The PIN lives in one variable and is never drawn.
const PIN_DIGITS = 6;
const LEAVE_MS = 60000;          // nobody touches it: back to the candidates
const TITLES = { number: "请输入您的签到工号", pin: "请输入6位签到口令", lookup: "查找考生", doubts: "存疑先行入场：请选择原因" };
const HELP = { number: "在控制台“签到口令”页面可以看到", pin: "口令不会显示", lookup: "座位号、准考证号后5位或证件号码后6位" };
const LONGEST = { number: 6, pin: PIN_DIGITS, lookup: 12 };

const at = (name) => document.querySelector(`[data-${name}]`);
let view = "number";
let person = 0;
let doubts = [];
let entry = "";
let touchedAt = performance.now();
let locked = Promise.resolve();  // this machine's word that nobody is identified here any more

async function send(path, body) {
  const options = { method: "POST", headers: { "Content-Type": "application/json", "X-Kaochang-Kiosk": "staff" }, body: JSON.stringify(body) };
  try { const answer = await fetch(path, options); return { isGood: answer.ok, ...(await answer.json()) }; } catch { return { isGood: false, words: "本机没有响应，请稍候再试。" }; }
}

function show(name, message = "") {
  view = name;
  entry = "";
  document.body.dataset.view = name;
  at("title").textContent = TITLES[name];
  at("message").textContent = message;
  at("help").textContent = HELP[name] ?? "";
  at("leave").textContent = name === "lookup" ? "锁定" : "换人";
  for (const part of document.querySelectorAll("[data-shown-in]")) part.hidden = !part.dataset.shownIn.split(" ").includes(name);
  if (name !== "lookup" && name !== "doubts") at("found").replaceChildren();
  document.querySelector('[data-key="X"]').disabled = name !== "lookup";
  at("leave").hidden = name === "number";
  draw();
}

function draw() {
  at("typed").textContent = view === "pin" ? "●".repeat(entry.length) + "○".repeat(PIN_DIGITS - entry.length) : entry;
  at("confirm").disabled = view === "pin" ? entry.length !== PIN_DIGITS : entry.length === 0;
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
    at("message").textContent = told.found.length ? "" : "名单中没有找到。请核对后再试，或在控制台查询。";
    at("help").textContent = `已查找 ${typed}：${told.found.length}人`;
    doubts = told.doubts;
    at("found").replaceChildren(...told.found.map(card));
  }
}

async function showAside() {
  const { aside } = await state();
  at("aside-box").hidden = !aside.length;
  at("aside").replaceChildren(...aside.map((one) => {
    const item = document.createElement("li");
    item.append(line("strong", one.at), line("p", one.problem));
    return item;
  }));
}

async function state() {
  const answer = await fetch("/local/staff/state").catch(() => null);
  return answer?.ok ? answer.json() : { open: "", ready: true, aside: [] };
}

function line(tag, text, name = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = name;
  return element;
}

function card(found) {
  const item = document.createElement("li");
  item.append(line("strong", found.name), line("p", `准考证号后5位 ${found.ticket_tail}　证件号码后6位 ${found.id_tail}`));
  if (found.is_blocked) item.append(line("p", "✖ 不得入场，请报告现场负责人", "barred"));
  for (const place of found.places) {
    const where = [place.room, place.directions && `（${place.directions}）`, ` ${place.place}号`].filter(Boolean).join("");
    item.append(line("p", `${place.starts}　${where}　${place.admitted ? `✔ ${place.admitted} 已签到` : "未签到"}`));
    if (doubts.length && !place.admitted && !found.is_blocked) item.append(button("存疑先行入场", () => chooseDoubt(found, place)));
  }
  return item;
}

function button(text, press) {
  const element = line("button", text);
  element.type = "button";
  element.addEventListener("click", press);
  return element;
}

function chooseDoubt(found, place) {
  show("doubts", `${found.name}　${place.room} ${place.place}号　先入场考试，同时登记存疑，由两名监考人员在考场内核对。`);
  at("doubts").replaceChildren(...doubts.map((one) => {
    const item = document.createElement("li");
    item.append(button(one.words, () => letIn(found, place, one.doubt)));
    return item;
  }));
}

async function letIn(found, place, doubt) {
  for (const one of at("doubts").querySelectorAll("button")) one.disabled = true;
  at("message").textContent = "正在办理";
  const told = await send("/local/staff/let-in", { candidate_id: found.candidate_id, session_id: place.session_id, doubt });
  if (told.done === null) {
    at("message").textContent = told.words;
    for (const one of at("doubts").querySelectorAll("button")) one.disabled = false;
  } else {
    at("found").replaceChildren();
    show("lookup", `${found.name}　${told.words}`);
  }
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
for (const button of document.querySelectorAll("[data-key]")) {
  button.addEventListener("click", () => type(button.dataset.key));
  button.disabled = false;  // a key that nobody listens to yet must not look as if it worked
}
at("erase").addEventListener("click", () => { entry = entry.slice(0, -1); draw(); });
at("confirm").addEventListener("click", confirmEntry);
at("leave").addEventListener("click", leave);
at("quit").addEventListener("click", () => show("lookup"));
at("back").addEventListener("click", async (pressed) => { pressed.preventDefault(); await send("/local/staff/lock", {}); location.href = "/"; });
setInterval(async () => {
  if (performance.now() - touchedAt < LEAVE_MS) return;
  await send("/local/staff/lock", {});
  location.href = "/";
}, 1000);
leave();  // whoever opens this page anew has to prove himself anew
