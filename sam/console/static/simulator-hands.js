// What a person does with the phones, as key presses: the page shows steps and cheats by these hands.
const PATIENCE = 20000;
export const PAUSE = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 130;
export const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// *done* has the names of the steps that have happened.
export function makeHands({ phones, chart, order, done }) {
  const waiting = new Set();

  // Does something and resolves with the first thing told from its beginning on for which *holds*,
  // or with null a while after its end.
  async function outcome(does, holds) {
    const wait = { holds };
    const came = new Promise((resolve) => { wait.resolve = resolve; });
    waiting.add(wait);
    try {
      await does();
      return await Promise.race([came, sleep(PATIENCE).then(() => null)]);
    } finally {
      waiting.delete(wait);
    }
  }

  function take(t) {
    for (const wait of [...waiting]) if (wait.holds(t)) wait.resolve(t);
  }

  async function until(holds) {
    if (holds()) return true;
    for (let tries = 0; tries < 500 && !holds(); tries += 1) await sleep(40);
    return holds();
  }

  // On a small screen the phone that is used is brought into view.
  const small = matchMedia("(max-width: 44rem)");
  let seen = "";
  function bring(name) {
    if (small.matches && seen !== name) phones[name].root.scrollIntoView({ block: "start", behavior: PAUSE ? "smooth" : "auto" });
    seen = name;
  }

  async function press(name, keys) {
    bring(name);
    for (const word of keys.split(" ").filter(Boolean)) {
      for (const key of /^[0-9*#]+$/.test(word) ? word : [word]) {
        phones[name].press(key);
        await sleep(PAUSE);
      }
    }
  }

  // From wherever the phone is to the menu, and from there on by these keys.
  async function goTo(name, keys) {
    await press(name, "end");
    await until(() => phones[name].screen?.title === "Menu");
    await press(name, keys);
  }

  async function typeUnder(name, keys) {
    await goTo(name, keys);
    await until(() => phones[name].screen?.boxes.length);
  }

  const code = (name) => phones[name].screen?.code ?? [];
  const shows = (name, title) => until(() => phones[name].screen?.title === title);
  const slipped = (digits) => digits.slice(0, 9) + ((Number(digits[9]) + 1) % 10) + digits.slice(10);

  // Which menu the digits of a screen are typed under; `1` is the other of the two phones.
  const UNDER = { Ticket: "3 1", Challenge: "5 1", "Long ticket": "9 3 1" };
  const ANSWERS = { Response: "Challenge", "Payment answer": "Request", "Small answer": "Request" };
  const sum = (name) => /(\d+(?:\.\d+)?) (?:to|from) /.exec(phones[name].screen.text)?.[1].replace(".", "*") ?? "";
  const under = (from, title) => {
    if (title === "Express code" || title === "Cheque") return `7 1 ${sum(from)} ok 2`;
    if (title === "Request") return `6 1 ${sum(from)} ok 2`;
    return UNDER[title] ?? "";
  };

  async function readAloud(from, to, { slip = false } = {}) {
    const digits = code(from).join("");
    const { title } = phones[from].screen;
    const at = phones[to].screen;
    if (at && at.title === ANSWERS[title]) await press(to, "ok");
    else if (at?.tone === "asking" && at.boxes.length === code(from).length) {
      const missing = at.boxes.findIndex((box) => box.open);
      return press(to, code(from)[missing] ?? "");
    } else if (!at?.boxes.length) await goTo(to, under(from, title));
    await until(() => phones[to].screen?.boxes.length);
    await press(to, slip ? slipped(digits) : digits);
    if (title === "Cheque") await press(to, "ok");
  }

  async function signal(name, on) {
    if (phones[name].screen?.signal === on) return;
    order({ phone: name, signal: on });
    await until(() => phones[name].screen?.signal === on);
  }

  const ask = () => outcome(() => goTo("alice", "1 1"), (t) => t.event === "received" && t.phone === "alice" && ["answered", "refused"].includes(t.status));

  async function haveKey() {
    if (done.has("ask")) return;
    await signal("alice", true);
    await ask();
  }

  async function showTicket() {
    await goTo("alice", "2 1");
    await shows("alice", "Ticket");
  }

  // Alice pays, to the code on her screen; 1978 is the PIN that she sets when she first pays.
  const PIN = "1978";
  async function pay(amount, { request = "" } = {}) {
    await goTo("alice", `6 1 ${amount} ok ${request ? `2 ${request}` : "1"}`);
    await until(() => /PIN$/.test(phones.alice.screen?.title ?? ""));
    await press("alice", `${PIN} ok`);
    await until(() => !/PIN$/.test(phones.alice.screen?.title ?? "PIN"));
    if (phones.alice.screen?.title === "Paid before") await press("alice", "2");
    return until(() => code("alice").length);
  }

  async function handOver() {
    await haveKey();
    await showTicket();
    await typeUnder("bob", "3 1");
    await readAloud("alice", "bob");
  }

  async function prove() {
    await goTo("bob", "4 1");
    if (!(await shows("bob", "Challenge"))) return;
    await typeUnder("alice", "5 1");
    await readAloud("bob", "alice");
    await shows("alice", "Response");
    await readAloud("alice", "bob");
  }

  // Both hold the key: Alice by asking, Bob by a ticket or a payment.
  async function bothHaveKey() {
    await haveKey();
    if (["hand", "slip", "pay"].some((step) => done.has(step))) return;
    await handOver();
    await until(() => done.has("hand"));
  }

  async function express(amount) {
    await bothHaveKey();
    return pay(amount);
  }

  async function charged(amount, way) {
    await goTo("bob", `7 1 ${amount} ok ${way}`);
    if (!(await shows("bob", "Request"))) return false;
    const request = code("bob").join("");
    await pay(amount, { request });
    await readAloud("alice", "bob");
    return true;
  }

  async function again(kind, altered) {
    const row = [...chart.rows.values()].reverse().find((each) => each.told.seen.kind === kind && !each.told.again);
    if (row) await order({ again: row.told.id, altered });
  }

  // Whether Sam has just taken in a message that was sent again.
  const arrivedAgain = (t) => t.sms?.what === "delivered" && t.sms.to === "sam" && chart.rows.get(t.sms.id)?.told.again;

  return {
    arrivedAgain, outcome, take, until, press, goTo, typeUnder, code, shows, readAloud, signal, ask, haveKey, showTicket, handOver,
    prove, pay, bothHaveKey, express, charged, again, begin: () => { seen = ""; },
  };
}
