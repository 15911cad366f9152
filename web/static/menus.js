// Menus of the top bar close when something else is touched, when the focus leaves them, and with Escape.
// Without this script they are opened and closed by their own word.

const MENUS = "details[data-menu][open]";

function closeOthers(place) {
  for (const menu of document.querySelectorAll(MENUS)) {
    if (!menu.contains(place)) menu.open = false;
  }
}

addEventListener("pointerdown", (event) => closeOthers(event.target));
addEventListener("focusin", (event) => closeOthers(event.target));
addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector(MENUS);
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
