// What the parts of the staff page share: its elements by name, asking this machine, and lines and buttons.
export const at = (name) => document.querySelector(`[data-${name}]`);

export async function send(path, body) {
  const options = { method: "POST", headers: { "Content-Type": "application/json", "X-Kaochang-Kiosk": "staff" }, body: JSON.stringify(body) };
  try { const answer = await fetch(path, options); return { isGood: answer.ok, status: answer.status, ...(await answer.json()) }; } catch { return { isGood: false, status: 0, words: "本机没有响应，请稍候再试。" }; }
}

export function line(tag, text, name = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = name;
  return element;
}

export function button(text, press) {
  const element = line("button", text);
  element.type = "button";
  element.addEventListener("click", press);
  return element;
}

export function item(...parts) {
  const element = document.createElement("li");
  element.append(...parts.filter(Boolean));
  return element;
}
