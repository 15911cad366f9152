// What may be done about somebody, one question per view: which act, why, is it right, and who agrees.
// `page.show(view, title, message)` draws a view; `page.lock(words)` goes back to the number when nobody is identified.
import { at, button, item, line, send } from "./staff_page.js";

const LOCKED = 403;

export class Acts {
  constructor(page) {
    this.page = page;
    at("do").addEventListener("click", () => (this.offer.needs_second && !this.isSent ? this.askSecond() : this.do()));
  }

  async open(found, place, message = "") {
    this.found = found;
    this.place = place;
    this.page.show("acts", this.who, "请稍候");
    at("acts").replaceChildren();
    const told = await send("/local/staff/offered", this.whom);
    if (told.status === LOCKED) { this.page.lock(told.words); return; }
    this.told = told;
    this.show(message);
  }

  // The acts again, as the console told them.
  show(message = "") {
    const told = this.told;
    this.page.show("acts", this.who, [message, told.isGood ? "" : told.words].filter(Boolean).join("　"));
    if (!told.isGood) { at("acts").replaceChildren(); return; }
    const nothing = !told.offers.length && !told.refused.length && line("p", "现在没有可以在签到机办理的。其他办理请到控制台。");
    const offers = told.offers.toSorted((one, other) => Boolean(one.turned_away) - Boolean(other.turned_away));  // what helps him in first
    at("acts").replaceChildren(
      ...told.against.map((one) => item(line("strong", `◼ ${one.reason}`), line("p", one.advice))),
      ...offers.map((one) => item(button(this.title(one), () => this.choose(one)), line("p", this.effect(one)))),
      ...told.refused.map((one) => item(line("strong", `✖ 不能${one.title}`), line("p", one.advice))),
      ...(nothing ? [item(nothing)] : []),
    );
  }

  get who() { return `${this.found.name}　${this.place.room} ${this.place.place}号`; }
  get whom() { return { candidate_id: this.found.candidate_id, session_id: this.place.session_id }; }
  title(offer) {
    if (offer.turned_away) return "只登记来过";
    return offer.act === "undo" ? `${offer.title}（${offer.attempt_at}）` : offer.title;
  }
  effect(offer) {
    const away = offer.turned_away && `现在不能入场（${offer.turned_away}）：核对证件和本人后登记，现场负责人可以据此处理。`;
    return [away || offer.effect, offer.needs_second && "须由第二人输入本人的工号和口令，共同确认。"].filter(Boolean).join("");
  }

  choose(offer) {
    this.offer = offer;
    this.isSent = false;
    this.body = { ...this.whom, act: offer.act, attempt_nonce: offer.attempt_nonce };
    this.picked = [];
    if (offer.act === "by_hand") this.chooseDocument();
    else this.chooseReason();
  }

  chooseDocument() {
    const own = this.found.document_type;
    const types = Object.entries(this.told.documents).sort(([one], [other]) => (other === own) - (one === own));
    this.page.show("choose", "您看到的是哪种证件原件？", `${this.who}　请核对证件、本人和名单上的姓名${this.found.name}、证件号码后6位${this.found.id_tail}。`);
    this.options(types.map(([type, words]) => [words, () => { this.body.document = type; this.picked.push(`证件：${words}`); this.chooseReason(); }]));
  }

  chooseReason() {
    this.page.show("choose", `${this.title(this.offer)}：请选择原因`, this.who);
    const doubts = this.offer.doubts.map((one) => [one.words, () => { this.body.doubt = one.doubt; this.confirm(one.words); }]);
    const reasons = this.offer.reasons.map((words) => [words, () => { this.body.reason = words; this.confirm(words); }]);
    this.options([...doubts, ...reasons]);
  }

  options(options) {
    at("options").replaceChildren(...options.map(([words, press]) => item(button(words, press))));
  }

  confirm(reason) {
    this.picked.push(`原因：${reason}`);
    this.page.show("confirm", `${this.title(this.offer)}，对吗？`);
    at("summary").replaceChildren(line("strong", this.who), ...this.picked.map((words) => line("p", words)), line("p", this.effect(this.offer)));
    at("do").textContent = this.offer.needs_second ? "下一步：第二人确认" : `确定：${this.title(this.offer)}`;
    at("do").disabled = false;
  }

  askSecond(message = "") {
    this.page.show("second-number", "第二人：请输入您的签到工号", [message, `${this.who}　${this.title(this.offer)}　${this.picked.join("　")}`].filter(Boolean).join("　"));
  }

  // What was typed on the keypad for the second person.
  typed(view, typed) {
    if (view === "second-number") {
      this.second = Number(typed);
      this.page.show("second-pin", "第二人：请输入6位签到口令", `${this.who}　${this.title(this.offer)}　${this.picked.join("　")}`);
    } else this.do({ second_number: this.second, second_pin: typed });
  }

  async do(second = {}) {
    const offer = this.offer;
    this.page.show("confirm", this.title(offer), "正在办理");
    at("do").disabled = true;
    const told = await send("/local/staff/act", { ...this.body, ...second });
    if (this.page.view !== "confirm") return;  // somebody locked the page meanwhile
    if (told.tried) this.askSecond(told.words);
    else if (told.status === LOCKED) this.page.lock(told.words);
    else if (told.done === true && !told.turned_away) this.page.show("lookup", "", `${this.found.name}　${told.words}`);
    else if (told.done === true || told.done === false) this.open(this.found, this.place, told.words);
    else this.unsure(told.words);
  }

  // Nobody knows what came of it: the very same act may be sent again, and nobody has to sign anew.
  unsure(words) {
    this.isSent = true;
    this.page.show("confirm", `${this.title(this.offer)}：不知道是否已办理`, words);
    at("do").textContent = "再办理一次";
    at("do").disabled = false;
  }
}
