import "../console/live.js";
import "../console/act.js";

// A wall display has no use for the bar: one press or the key F shows the cameras alone.
const button = document.getElementById("full");

function toggle() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
}

if (document.fullscreenEnabled) {
  button.hidden = false;
  document.querySelector(".who")?.prepend(button);
  button.addEventListener("click", toggle);
  addEventListener("keydown", (event) => {
    if (event.key === "f" && !event.ctrlKey && !event.metaKey && !event.altKey) toggle();
  });
}
