// The print button; the page's policy allows no inline handlers.
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
