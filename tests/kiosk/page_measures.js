// What is measured on the candidate screen. Evaluates to two functions.
({
  // Visible elements that reach beyond the screen or hold more than they show; and whether the middle has room.
  overflows() {
    const brief = (element) => element.outerHTML.slice(0, 80);
    const found = [...document.querySelectorAll("body *")].filter((element) => {
      const box = element.getBoundingClientRect();
      if (!box.width || !box.height || element.closest("svg")) return false;
      const isBeyond = box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
      const isCut = element.matches("main *, footer *") && element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1;
      return isBeyond || isCut;
    }).map(brief);
    const [top, main, bottom] = ["header", "main", "footer"].map((name) => document.querySelector(name));
    const inside = [...main.querySelectorAll("*")].map((one) => one.getBoundingClientRect()).filter((box) => box.height);
    const reach = [Math.min(...inside.map((box) => box.top)), Math.max(...inside.map((box) => box.bottom))];
    const room = [top.getBoundingClientRect().bottom, bottom.getBoundingClientRect().top];
    if (reach[0] < room[0] - 1 || reach[1] > room[1] + 1) found.push(`the middle needs ${reach} and has ${room}`);
    return found;
  },

  // Every visible text with its size and its contrast (WCAG) against what lies behind it.
  texts() {
    const channel = (value) => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = ([red, green, blue]) => 0.2126 * channel(red / 255) + 0.7152 * channel(green / 255) + 0.0722 * channel(blue / 255);
    const behind = (element) => {
      for (let one = element; one; one = one.parentElement) {
        const colour = numbers(getComputedStyle(one).backgroundColor);
        if ((colour[3] ?? 1) === 1) return colour;
      }
      return [255, 255, 255];
    };
    const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const isSeen = (element) => !element.closest("svg") && element.checkVisibility() && element.getBoundingClientRect().height > 0;
    return [...document.querySelectorAll("body *")].filter((element) => isSeen(element) && hasText(element)).map((element) => {
      const style = getComputedStyle(element);
      const [one, other] = [light(numbers(style.color)), light(behind(element))];
      const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      return { text: element.textContent.trim().slice(0, 20), px: parseFloat(style.fontSize), contrast };
    });
  },
})
