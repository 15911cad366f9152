// Light or dark, as this tablet was left. Loaded before the page is drawn, so that it does not flash.
// Pages that are always dark (playback) have no switch.

(() => {
  const root = document.documentElement;
  if (root.dataset.theme !== "light") return;
  const KEY = "kaochang-theme";
  root.dataset.theme = localStorage.getItem(KEY) ?? "light";
  addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-switch]");
    if (!button) return;
    const show = () => {
      button.querySelector("span").textContent = root.dataset.theme === "dark" ? "浅色" : "深色";
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
      localStorage.setItem(KEY, root.dataset.theme);
      show();
    });
    show();
  });
})();
