// Keys of the page. Fields keep their own keys, and Space presses the button that has the focus.

const KEYS = {
  j: (controls) => controls.faster(-1),
  k: (controls) => controls.pause(),
  l: (controls) => controls.faster(1),
  ArrowLeft: (controls) => controls.jump(-5000),
  ArrowRight: (controls) => controls.jump(5000),
  ",": (controls) => controls.step(-1),
  ".": (controls) => controls.step(1),
  "[": (controls) => controls.toMark(-1),
  "]": (controls) => controls.toMark(1),
  " ": (controls) => controls.toggle(),
  Escape: (controls) => controls.enlarge(null),
};

export function listenToKeys(controls) {
  document.addEventListener("keydown", (press) => {
    if (press.ctrlKey || press.altKey || press.metaKey) return;
    const { target } = press;
    if (target.matches("select, input:not([type=checkbox]), textarea")) return;
    if (press.key === " " && target.matches("button, a, input, summary")) return;
    const act = /^[1-9]$/.test(press.key)
      ? (all) => all.enlarge(Number(press.key) - 1)
      : KEYS[press.key] ?? KEYS[press.key.toLowerCase()];
    if (!act) return;
    press.preventDefault();
    act(controls);
  });
}
