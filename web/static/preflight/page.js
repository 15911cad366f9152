import "../console/live.js";

// The button is replaced with its part of the page, so the page listens.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
