// 试音: the test tone in this room's players, and who heard it. Only a person in the room can know.

export class SoundCheck {
  // `send(path, body)` posts to the room and throws; `refresh()` fetches the schedule.
  constructor(send, refresh) {
    this.send = send;
    this.refresh = refresh;
    this.button = document.getElementById("test-sound");
    this.question = document.getElementById("sound-question");
    this.answer = document.getElementById("sound-answer");
    this.button.addEventListener("click", () => this.#order());
    for (const choice of this.question.querySelectorAll("[data-outcome]"))
      choice.addEventListener("click", () => this.#tell(choice.dataset.outcome));
  }

  // The button is there only while no exam is near; the question, after a test tone was asked for.
  paint(schedule) {
    this.button.hidden = !schedule?.may_test;
    if (schedule?.test) this.question.hidden = false;
    if (!schedule?.may_test) this.question.hidden = true;
  }

  async #order() {
    this.#say("");
    try {
      await this.send("sound-tests", {});
      await this.refresh();
      this.question.hidden = false;
    } catch (refusal) {
      this.#say(refusal.code === 409 ? "即将开考或正在考试，不能试音。" : "没有联系上主机，现在不能试音。");
    }
  }

  async #tell(outcome) {
    try {
      const kept = await this.send("sound-checks", { outcome });
      this.question.hidden = true;
      this.#say(outcome === "heard" ? `已记录：${kept.by}听到了` : `已记录：${kept.by}没有听到，请检查音量和接线`);
    } catch {
      this.#say("没有联系上主机，请再点一次。");
    }
  }

  #say(words) {
    this.answer.textContent = words;
    this.answer.hidden = !words;
  }
}
