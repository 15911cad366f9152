// Check, read the report, import the very same file. The browser keeps the file until then.

const forms = document.querySelectorAll("form[data-check]");
const report = document.getElementById("report");
const progress = document.getElementById("progress");

async function send(form, address, digest, words) {
  const body = new FormData(form);
  if (digest) body.set("digest", digest);
  progress.textContent = words;
  progress.hidden = false;
  report.replaceChildren();
  try {
    const answer = await fetch(address, {
      method: "POST",
      body,
      headers: { Accept: "text/html", "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content },
    });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    report.replaceChildren(...(page.querySelector("main") ?? page.body).childNodes);
    report.querySelector("section")?.focus();
  } catch {
    report.textContent = "连接中断，或文件已被改动或移走。请重新选择文件后再试。";
  } finally {
    progress.hidden = true;
  }
}

for (const form of forms) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, form.dataset.check, "", "正在检查…");
  });
  form.addEventListener("change", () => report.replaceChildren());
}
report.addEventListener("click", (event) => {
  const button = event.target.closest("[data-take-in]");
  if (!button) return;
  const form = document.getElementById(button.dataset.takeIn);
  send(form, form.dataset.import, button.dataset.digest, "正在导入…");
});
