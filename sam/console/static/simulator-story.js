// The story and the cheats: which keys to press, and when each step has happened. It presses the
// same keys that a person would; whether a step came off is read from what the phones told.
import { make } from "./simulator-phone.js";

const PAUSE = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 130;
const PATIENCE = 20000;
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export function makeStory({ phones, chart, order, $ }) {
  const waiting = new Set();
  const done = new Set();
  let now = 0;
  let busy = false;

  // Resolves with the first thing told from now on for which *holds*, or null after a while.
  function told(holds) {
    return new Promise((resolve) => {
      const wait = { holds, resolve };
      waiting.add(wait);
      setTimeout(() => { waiting.delete(wait); resolve(null); }, PATIENCE);
    });
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

  async function haveKey() {
    if (done.has("ask")) return;
    await signal("alice", true);
    const came = told((t) => t.event === "received" && t.phone === "alice");
    await goTo("alice", "1 1");
    await came;
  }

  async function showTicket(groups = 0) {
    await goTo("alice", "2 1");
    await shows("alice", "Ticket");
    for (let more = 0; more < groups; more += 1) await press("alice", "ok");
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

  // Both hold the key: Alice by asking, Bob by a ticket or a payment.
  async function bothHaveKey() {
    await haveKey();
    if (["hand", "slip", "pay"].some((step) => done.has(step))) return;
    await STEPS.find((step) => step.id === "hand").play();
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

  const STEPS = [
    {
      id: "ask", name: "Ask", title: "Alice asks Sam for a key with Bob",
      text: "One SMS there, one back. They may take days, come twice, come late. Anyone may listen: the answer is sealed for Alice’s SIM.",
      play: haveKey,
      happened: (t) => t.event === "received" && t.phone === "alice" && t.status === "answered",
    },
    {
      id: "cut", name: "Cut", title: "Weeks later, both are out of range",
      text: "Switch off both signals. From here on nobody can reach Sam, and nobody needs to.",
      play: async () => { await signal("alice", false); await signal("bob", false); },
      happened: () => phones.alice.screen?.signal === false && phones.bob.screen?.signal === false,
    },
    {
      id: "hand", name: "Hand over", title: "Alice reads out 20 digits, Bob types them",
      text: "The digits carry no key. They tell Bob’s SIM which one to derive, and 40 bits of them prove that Alice’s SIM, or Sam, made them for Bob.",
      play: async () => { await haveKey(); await showTicket(); await typeUnder("bob", "3 1"); await readAloud("alice", "bob"); },
      happened: (t) => t.event === "typed" && t.what === "ticket" && t.kcv && t.phone === "bob",
    },
    {
      id: "slip", name: "Slip", title: "Bob mistypes a digit",
      text: "He need not start all over: Alice’s phone gives one more group of four, and Bob’s phone finds which digit it was and repairs it.",
      play: async () => {
        await haveKey();
        await showTicket();
        await typeUnder("bob", "3 1");
        await readAloud("alice", "bob", { slip: true });
        await until(() => phones.bob.screen?.tone === "asking");
        await press("alice", "ok");
        await until(() => code("alice").length === 6);
        await readAloud("alice", "bob");
      },
      happened: (t) => t.event === "typed" && t.status === "repaired",
    },
    {
      id: "prove", name: "Prove", title: "Each makes sure of the other",
      text: "Bob reads out 8 digits, Alice’s phone answers with 8. Only the two phones that hold the key can do it.",
      play: async () => {
        await goTo("bob", "4 1");
        if (!(await until(() => phones.bob.screen?.title === "Challenge"))) return;
        await typeUnder("alice", "5 1");
        await readAloud("bob", "alice");
        await shows("alice", "Response");
        await readAloud("alice", "bob");
      },
      happened: (t) => t.event === "typed" && t.what === "response" && t.status === "accepted",
    },
    {
      id: "pay", name: "Pay", title: "Alice pays Bob: key and payment in 20 digits, one way",
      text: "Alice types the sum and her PIN. The digits carry neither: both phones know whom and how much, and 40 bits prove it all. Bob need not have typed a ticket before.",
      play: async () => { await haveKey(); await pay("250"); await readAloud("alice", "bob"); },
      happened: (t) => t.event === "typed" && t.phone === "bob" && t.mode && t.status !== "refused" && t.balance,
    },
    {
      id: "cheque", name: "Again", title: "Every further payment: a cheque of 16 digits",
      text: "Under a key that both have, one way, in any order; each is credited once. One slip in it is repaired without asking.",
      play: async () => { await bothHaveKey(); await pay("120*50"); await readAloud("alice", "bob", { slip: code("alice").length === 4 }); },
      happened: (t) => t.event === "typed" && t.phone === "bob" && t.mode === "cheque" && t.balance,
    },
    {
      id: "challenge", name: "Challenge", title: "Large sums: Bob wants proof that Alice is there",
      text: "His phone makes up a request of 8 digits for this sum; hers answers with 12. A recorded answer is worth nothing.",
      play: async () => { await bothHaveKey(); await charged("900", "3"); },
      happened: (t) => t.event === "typed" && t.phone === "bob" && t.mode === "challenge" && t.balance,
    },
    {
      id: "small", name: "Small", title: "Small sums need no key between the two",
      text: "8 digits there, 8 back, under a key that all phones share for a while. It breaks with one opened SIM, so it never carries much.",
      play: () => charged("20", "4"),
      happened: (t) => t.event === "typed" && t.phone === "bob" && t.mode === "small" && t.balance,
    },
  ];

  const CHEATS = [
    {
      id: "overhear", title: "Use an overheard ticket",
      text: "Mallory types Alice’s ticket for Bob into her own phone.",
      play: async () => { await haveKey(); await showTicket(); await typeUnder("mallory", "3 1"); await readAloud("alice", "mallory"); },
      verdict: (t) => t.event === "typed" && t.phone === "mallory",
    },
    {
      id: "pose", title: "Pass a ticket off as her own",
      text: "Mallory reads Alice’s digits to Bob and says that they are hers.",
      play: async () => { await haveKey(); await showTicket(); await typeUnder("bob", "3 2"); await readAloud("alice", "bob"); },
      verdict: (t) => t.event === "typed" && t.phone === "bob",
    },
    {
      id: "replay-ask", title: "Replay Alice’s SMS to Sam",
      text: "Mallory sends the recorded request once more, in Alice’s name.",
      play: async () => { await haveKey(); await again("ask", false); },
      verdict: (t) => t.sms?.what === "delivered" && t.sms.to === "sam",
    },
    {
      id: "forge-ask", title: "Alter Alice’s SMS",
      text: "She changes one letter of the recorded request and sends it to Sam.",
      play: async () => { await haveKey(); await again("ask", true); },
      verdict: (t) => t.sms?.what === "delivered" && t.sms.to === "sam",
    },
    {
      id: "forge-answer", title: "Forge Sam’s answer",
      text: "She changes one letter of Sam’s answer and sends it to Alice.",
      play: async () => { await haveKey(); await signal("alice", true); await press("alice", "end"); await again("answer", true); },
      verdict: (t) => t.event === "received" && t.phone === "alice" && t.status === "ignored",
    },
    {
      id: "old", title: "Bring back an old ticket",
      text: "Alice gets a newer key and both confirm it. Then somebody reads Bob the first ticket, which was genuine.",
      play: async () => {
        await haveKey();
        await showTicket();
        const old = code("alice").join("");
        await signal("alice", true);
        const came = told((t) => t.event === "received" && t.phone === "alice" && t.status === "answered");
        await goTo("alice", "1 1");
        await came;
        await STEPS.find((step) => step.id === "hand").play();
        await STEPS.find((step) => step.id === "prove").play();
        await until(() => phones.bob.screen?.title === "Proved");
        await typeUnder("bob", "3 1");
        await press("bob", old);
      },
      verdict: (t) => t.event === "typed" && t.phone === "bob" && t.reason === "superseded",
    },
  ];

  const PAYMENT_CHEATS = [
    {
      id: "pay-replay", title: "Cash a payment twice",
      text: "Bob types the digits of one payment a second time.",
      play: async () => {
        await express("30");
        await readAloud("alice", "bob");
        await shows("bob", "Received");
        await readAloud("alice", "bob");
      },
      verdict: (t) => t.event === "typed" && t.phone === "bob" && t.reason === "credited",
    },
    {
      id: "pay-amount", title: "Ask for more than was paid",
      text: "Alice pays 40; Bob tells his phone that it was 4000.",
      play: async () => {
        await express("40");
        const digits = code("alice").join("");
        await typeUnder("bob", "7 1 4000 ok 2");
        await press("bob", digits.length === 16 ? `${digits} ok` : digits);
      },
      verdict: (t) => t.event === "typed" && t.phone === "bob" && t.minor === 400000,
    },
    {
      id: "pay-payee", title: "Cash somebody else’s payment",
      text: "Mallory overhears Alice’s digits for Bob and takes the payment herself.",
      play: async () => {
        await express("50");
        const digits = code("alice").join("");
        await typeUnder("mallory", "7 1 50 ok 2");
        await press("mallory", digits.length === 16 ? `${digits} ok` : digits);
      },
      verdict: (t) => t.event === "typed" && t.phone === "mallory" && t.minor === 5000,
    },
  ];

  // Attacks that succeed now and then are tried hundreds of times, on the first protocol and on ours.
  const TRIED = [
    {
      id: "collision", title: "Find two prices that look alike",
      text: "The payee throws requests away until one for 4.50 has the same digits as one for 45.00, and shows the customer the cheap one. In DigiTally’s first protocol the answer paid for either.",
    },
    {
      id: "replay", title: "Play back recorded answers",
      text: "The payee records 20 payments and hopes that its phone asks the same question once more. In the first protocol nothing but a short nonce stood against that.",
    },
  ];

  async function again(kind, altered) {
    const row = [...chart.rows.values()].reverse().find((each) => each.told.seen.kind === kind && !each.told.again);
    if (row) await order({ again: row.told.id, altered });
  }

  function draw() {
    const list = $("steps");
    list.replaceChildren();
    STEPS.forEach((step, place) => {
      const item = make("li");
      const found = make("button", done.has(step.id) ? "chip done" : "chip");
      found.type = "button";
      found.append(make("span", "count", done.has(step.id) ? "✓" : String(place + 1)), step.name);
      if (done.has(step.id)) found.append(make("span", "unseen", " (done)"));
      if (place === now) found.setAttribute("aria-current", "step");
      found.addEventListener("click", () => { now = place; draw(); });
      item.append(found);
      list.append(item);
    });
    const step = STEPS[now];
    $("step-title").textContent = `${now + 1}. ${step.title}`;
    $("step-text").textContent = step.text;
    const show = make("button", "main", busy ? "Watch …" : "Show me");
    show.type = "button";
    show.id = "show";
    show.disabled = busy;
    show.addEventListener("click", () => run(step.play));
    const all = make("button", "", "Play it all");
    all.type = "button";
    all.id = "play";
    all.disabled = busy;
    all.addEventListener("click", () => run(playAll));
    $("step-do").replaceChildren(show, all);
    for (const each of document.querySelectorAll(".cheat > button, .aloud button")) each.disabled = busy;
  }

  async function playAll() {
    for (const step of STEPS) {
      now = STEPS.indexOf(step);
      draw();
      await step.play();
      await until(() => done.has(step.id));
      await sleep(PAUSE * 8);
    }
  }

  async function run(play) {
    if (busy) return;
    busy = true;
    $("verdict").textContent = "";
    draw();
    seen = "";
    try {
      await play();
      const step = STEPS.find((each) => each.play === play);
      if (step && !(await until(() => done.has(step.id)))) $("verdict").textContent = "That did not come off: look at the phones, at the signal, at the network.";
    } finally {
      busy = false;
      draw();
    }
  }

  function card(cheat, play) {
    const found = make("article", "cheat");
    found.id = `cheat-${cheat.id}`;
    const start = make("button", "", "Try it");
    start.type = "button";
    start.setAttribute("aria-label", `Try it: ${cheat.title}`);
    const outcome = make("div", "outcome");
    outcome.setAttribute("role", "status");
    start.addEventListener("click", () => run(() => play(outcome)));
    found.append(make("h4", "", cheat.title), make("p", "", cheat.text), start, outcome);
    return found;
  }

  async function attempt(cheat, outcome) {
    outcome.textContent = "…";
    outcome.className = "outcome";
    const came = told(cheat.verdict);
    await cheat.play();
    const t = await came;
    if (!t) { outcome.textContent = "Nothing came of it."; return; }
    const got = t.kcv || (t.balance && t.status !== "refused" && !t.message) || t.sms?.sam === "issued";
    outcome.textContent = words(t);
    outcome.classList.add(got ? "through" : "stopped");
  }

  async function attack(cheat, outcome) {
    outcome.textContent = "Trying 500 times on each …";
    outcome.className = "outcome";
    const bars = make("div", "bars-of");
    let wait = told((t) => t.attack === cheat.id && t.target === "first");
    const ours = told((t) => t.attack === cheat.id && t.target === "ours");
    await order({ attack: cheat.id });
    for (const [name, title] of [["first", "first protocol"], ["ours", "dtns"]]) {
      const t = await wait;
      wait = ours;
      if (!t) { outcome.textContent = "It could not be tried."; return; }
      const row = make("div", name);
      row.append(make("span", "", title), make("b", "", `${(100 * t.rate).toFixed(1)} %`), bar(t.rate));
      bars.append(row);
      outcome.replaceChildren(make("p", "", `The payee got money that nobody paid, of ${t.trials} tries on new phones:`), bars);
    }
    outcome.classList.add("tried");
  }

  function bar(rate) {
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    picture.setAttribute("viewBox", "0 0 100 10");
    picture.setAttribute("preserveAspectRatio", "none");
    picture.setAttribute("aria-hidden", "true");
    const filled = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    filled.setAttribute("width", String(Math.max(0.6, 100 * rate)));
    filled.setAttribute("height", "10");
    picture.append(filled);
    return picture;
  }

  function drawCheats() {
    const add = (title, cheats, play) => {
      $("cheats").append(make("h3", "group", title));
      for (const cheat of cheats) $("cheats").append(card(cheat, (outcome) => play(cheat, outcome)));
    };
    add("With keys", CHEATS, attempt);
    add("With money", PAYMENT_CHEATS, attempt);
    add("What broke the first protocol", TRIED, attack);
  }

  const OUTCOMES = {
    forged: "Stopped. Sam: the MAC is wrong; no answer, one counter goes up.",
    repeated: "Of no use. Sam gives the same sealed answer again, to Alice’s own number; no new key is made.",
    waiting: "Of no use. Sam’s answer is still on its way out, to Alice’s own number.",
  };

  function words(t) {
    if (t.sms) return OUTCOMES[t.sms.sam] ?? OUTCOMES.repeated;
    return `Stopped. ${t.phone[0].toUpperCase()}${t.phone.slice(1)}’s phone: ${t.text}`;
  }

  drawCheats();
  draw();
  return {
    readAloud: (from, to, options) => run(() => readAloud(from, to, options)),
    take(t, past) {
      if (t.numbers) Object.assign(chart.numbers, t.numbers);
      for (const wait of [...waiting]) {
        if (!past && wait.holds(t)) { waiting.delete(wait); wait.resolve(t); }
      }
      for (const step of STEPS) {
        if (done.has(step.id) || !step.happened(t)) continue;
        done.add(step.id);
        if (STEPS[now] === step && now + 1 < STEPS.length) now += 1;
        draw();
      }
    },
    clear() {
      done.clear();
      now = 0;
      for (const outcome of document.querySelectorAll(".outcome")) outcome.replaceChildren();
      draw();
    },
  };
}
