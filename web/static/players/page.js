// 声音与播放设备: live list of the rooms' players; inviting a loudspeaker shows its one-time code here only.

import { post, tell } from "../console/act.js";
import "../console/live.js";

const form = document.getElementById("invite");

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const filled = new FormData(form);
  const place = document.getElementById("code");
  try {
    const answer = await post("/api/speakers", { label: filled.get("label"), rooms: filled.getAll("room") });
    if (!answer.ok) throw new Error(`answered ${answer.status}`);
    const { code } = await answer.json();
    place.textContent = code;
    tell("good", "请在10分钟内，把下面的登记文字粘贴到音箱的登记程序里。只能用一次。");
    form.reset();
  } catch {
    tell("bad", "没有生成登记码。请检查名称和网络后再试。");
  }
});
