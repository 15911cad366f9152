// 播报声音: a recording can be confirmed only after it was heard to its end in this page.

for (const form of document.querySelectorAll("[data-after-listening]")) {
  const sound = form.closest("li").querySelector("audio");
  const box = form.querySelector("input[type=checkbox]");
  if (!sound) continue;
  box.disabled = true;
  sound.addEventListener("ended", () => {
    box.disabled = false;
  });
}
