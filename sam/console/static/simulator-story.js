// The story above the phones and the cheats below them. Both press the keys that a person would;
// whether a step came off, or a cheat went through, is read from what the phones and Sam told.
import { makeCheats } from "./simulator-cheats.js";
import { makeHands, PAUSE, sleep } from "./simulator-hands.js";
import { make } from "./simulator-phone.js";
import { makeSteps } from "./simulator-steps.js";

export function makeStory({ phones, chart, order, $ }) {
  const done = new Set();
  const hands = makeHands({ phones, chart, order, done });
  const steps = makeSteps(hands, phones);
  const cheats = makeCheats(hands, phones);
  let now = 0;
  let busy = false;

  function draw() {
    const list = $("steps");
    list.replaceChildren();
    steps.forEach((step, place) => {
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
    const step = steps[now];
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
    for (const step of steps) {
      now = steps.indexOf(step);
      draw();
      await step.play();
      await hands.until(() => done.has(step.id));
      await sleep(PAUSE * 8);
    }
  }

  async function run(play) {
    if (busy) return;
    busy = true;
    $("verdict").textContent = "";
    draw();
    hands.begin();
    try {
      await play();
      const step = steps.find((each) => each.play === play);
      if (step && !(await hands.until(() => done.has(step.id)))) $("verdict").textContent = "That did not come off: look at the phones, at the signal, at the network.";
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
    const t = await hands.outcome(cheat.play, cheat.verdict);
    if (!t) { outcome.textContent = "Nothing came of it."; return; }
    const got = t.kcv || (t.balance && t.status !== "refused" && !t.message) || t.sms?.sam === "issued";
    outcome.textContent = `${got ? "It went through." : "Stopped."} ${words(t)}`;
    outcome.classList.add(got ? "through" : "stopped");
  }

  async function attack(cheat, outcome) {
    outcome.textContent = "Trying 500 times on each …";
    outcome.className = "outcome";
    const bars = make("div", "bars-of");
    const of = (target) => (t) => t.attack === cheat.id && t.target === target;
    const second = hands.outcome(() => {}, of("ours"));
    const first = hands.outcome(() => order({ attack: cheat.id }), of("first"));
    for (const [name, title, came] of [["first", "first protocol", first], ["ours", "dtns", second]]) {
      const t = await came;
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
    const add = (title, list, play) => {
      $("cheats").append(make("h3", "group", title));
      for (const cheat of list) $("cheats").append(card(cheat, (outcome) => play(cheat, outcome)));
    };
    add("With keys", cheats.withKeys, attempt);
    add("With money", cheats.withMoney, attempt);
    add("What broke the first protocol", cheats.tried, attack);
  }

  const OUTCOMES = {
    forged: "Sam: the MAC is wrong; no answer, one counter goes up.",
    repeated: "Sam gives the same sealed answer again, to Alice’s own number; no new key is made.",
    waiting: "Sam’s answer is still on its way out, to Alice’s own number.",
  };

  function words(t) {
    if (t.sms) return OUTCOMES[t.sms.sam] ?? OUTCOMES.repeated;
    return `${t.phone[0].toUpperCase()}${t.phone.slice(1)}’s phone: ${t.text}`;
  }

  drawCheats();
  draw();
  return {
    readAloud: (from, to, options) => run(() => hands.readAloud(from, to, options)),
    take(t, past) {
      if (t.numbers) Object.assign(chart.numbers, t.numbers);
      if (!past) hands.take(t);
      for (const step of steps) {
        if (done.has(step.id) || !step.happened(t)) continue;
        done.add(step.id);
        if (steps[now] === step && now + 1 < steps.length) now += 1;
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
