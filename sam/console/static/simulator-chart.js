// The message chart: each message as it flies, what a listener makes of it, what the parties know.
import { make } from "./simulator-phone.js";

const SVG = "http://www.w3.org/2000/svg";
const LANES = { alice: 50, sam: 150, bob: 250, mallory: 350, somebody: 350 };
const NAMES = { alice: "Alice", sam: "Sam", bob: "Bob", mallory: "Mallory", somebody: "Somebody" };
const TOP = 9;
const BOTTOM = 33;
const MOST_ROWS = 200;
const still = matchMedia("(prefers-reduced-motion: reduce)");

const STATES = {
  flying: "on its way", waiting: "waits for signal", delivered: "arrived", lost: "lost on the way", expired: "expired: nobody took it for 7 days",
};
const DECIDED = {
  issued: "The MAC is good: a key is issued, and sealed for the asker.",
  repeated: "Seen before: the same answer once more, octet for octet.",
  refused: "Authentic, and refused.",
  filed: "Sealed by that SIM: its payments are on Sam’s record.",
  forged: "The MAC is wrong. No answer, no work: one counter goes up.",
  waiting: "Its answer is still on the way out: no copy is added.",
  old: "Older than the replay window: silence.",
  repeats: "Repeated too often: silence.",
  share: "Too many today: silence.",
  malformed: "Not a message of the protocol: silence.",
  generation: "From a SIM that was replaced: silence.",
  "not-enrolled": "Nobody of that number is enrolled: silence.",
};

const PAID = "The phone pays, and answers.";
const ANSWERED = "The phone answers it: only one with the same key could have made it.";

function svg(tag, attributes) {
  const found = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, value);
  return found;
}

function fields(pairs) {
  const list = make("dl");
  for (const [name, value] of pairs) list.append(make("dt", "", name), make("dd", "", value));
  return list;
}

function view(className, title) {
  const found = make("div", className);
  found.append(make("p", "label", title), make("div", "said"));
  return found;
}

function say(where, ...lines) {
  where.querySelector(".said").replaceChildren(...lines.map((line) => (typeof line === "string" ? make("p", "", line) : line)));
}

export function makeChart(list, empty, order) {
  const rows = new Map();
  const numbers = {};
  const shown = {};
  let date = "";

  function newRow(kind, from, to, title, past) {
    const at = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
    const row = make("li", `hop ${kind}`);
    const [start, end] = [LANES[from] ?? 350, LANES[to] ?? 350];
    const picture = svg("svg", { viewBox: "0 0 400 42", "aria-hidden": "true" });
    for (const x of [50, 150, 250, 350]) picture.append(svg("line", { class: "life", x1: x, x2: x, y1: 0, y2: 42 }));
    const middle = (start + end) / 2;
    if (from !== "mallory" && to !== "mallory") {
      picture.append(svg("path", { class: "tap", d: `M${middle} ${(TOP + BOTTOM) / 2} L343 ${(TOP + BOTTOM) / 2}` }));
    }
    const back = end < start ? 1 : -1;
    const line = svg("path", { class: "flight", d: `M${start} ${TOP} L${end + back * 4} ${BOTTOM}`, pathLength: 1 });
    const tip = svg("path", { class: "tip", d: `M${end} ${BOTTOM + 1} l${back * 9} -6 l${back * 0.5} 8.5 z` });
    const cross = svg("path", { class: "cross", d: `M${middle - 6} ${(TOP + BOTTOM) / 2 - 6} l12 12 m0 -12 l-12 12` });
    const dot = svg("circle", { class: "dot", r: 4.5, cx: 0, cy: 0 });
    picture.append(line, tip, cross, dot);
    const what = make("p", "what");
    const state = make("span", "state");
    what.append(make("b", "", `${NAMES[from] ?? from} → ${NAMES[to] ?? to}`), ` ${title} `, state);
    const views = make("div", "views");
    const listener = view("listener", "Mallory hears");
    const party = view("party", to === "sam" ? "Sam finds" : `${NAMES[to] ?? to} finds`);
    views.append(listener, party);
    row.append(picture, what, views);
    row.picture = { line, dot, start, end };
    row.parts = { state, listener, party, views };
    list.append(row);
    while (list.children.length > MOST_ROWS) {
      rows.delete(list.firstElementChild.told?.id);
      list.firstElementChild.remove();
    }
    empty.hidden = true;
    if (at || !past) list.scrollTop = list.scrollHeight;
    return row;
  }

  function become(row, state, note = "") {
    row.dataset.state = state;
    row.parts.state.textContent = note || STATES[state] || "";
  }

  function fly(row, from, to, seconds) {
    const { line, dot, start, end } = row.picture;
    const at = (share) => `translate(${start + (end - start) * share}px, ${TOP + (BOTTOM - TOP) * share}px)`;
    if (still.matches || seconds <= 0) {
      line.style.strokeDashoffset = String(1 - to);
      dot.style.transform = at(to);
      return Promise.resolve();
    }
    const timing = { duration: seconds * 1000, fill: "forwards", easing: "linear" };
    line.animate([{ strokeDashoffset: 1 - from }, { strokeDashoffset: 1 - to }], timing);
    return dot.animate([{ transform: at(from) }, { transform: at(to) }], timing).finished.catch(() => null);
  }

  function carried(told, past) {
    const { seen } = told;
    const copy = [...rows.values()].some((row) => row.text && row.text === JSON.stringify([told.from, told.to, seen]));
    const titles = {
      ask: `asks for a key (request ${seen.counter})`,
      answer: `answers request ${seen.counter}`,
      news: "has news: a load, or a record acknowledged",
      log: "reports payments",
      other: "sends something",
    };
    const again = told.again ? (told.altered ? ", altered by Mallory" : ", sent again by Mallory") : copy ? ", once more" : "";
    const row = newRow(told.again ? "sms forged" : "sms", told.from, told.to, titles[seen.kind] + again, past);
    row.text = JSON.stringify([told.from, told.to, seen]);
    row.told = told;
    rows.set(told.id, row);
    say(row.parts.listener, fields(seen.fields));
    say(row.parts.party, "…");
    const actions = make("div", "again");
    for (const [text, altered] of [["Send it again", false], ["Send it altered", true]]) {
      const found = make("button", "small", text);
      found.type = "button";
      found.addEventListener("click", () => order({ again: told.id, altered }));
      actions.append(found);
    }
    row.parts.listener.append(actions);
    if (told.what === "lost") {
      become(row, "lost");
      say(row.parts.party, "Nothing. The phone will send it again.");
      fly(row, 0, 0.5, past ? 0 : 0.6);
      return;
    }
    become(row, "flying");
    fly(row, 0, 0.8, past ? 0 : told.seconds).then(() => {
      if (row.dataset.state === "flying" && told.to !== "sam") become(row, "waiting");
    });
  }

  return {
    rows,
    day(text, past) {
      if (date && date !== text && !past) list.append(make("li", "day-mark", text));
      date = text;
      list.scrollTop = list.scrollHeight;
    },
    sms(told, past) {
      if (told.what === "carried" || told.what === "lost") return carried(told, past);
      const row = rows.get(told.id);
      if (!row) return;
      become(row, told.what);
      if (told.what === "expired") return say(row.parts.party, "Nothing.");
      fly(row, 0.8, 1, past ? 0 : 0.25);
      if (told.to === "sam") say(row.parts.party, DECIDED[told.sam] ?? told.sam ?? "");
    },
    // What phones told: an answer taken in, or digits typed that somebody read out.
    spoken(told, past) {
      if (told.event === "received") {
        const row = [...rows.values()].reverse().find((each) => each.told.to === told.phone && each.told.what === "carried" && each.told.seen.counter === (told.counter ?? null) && !each.settled);
        if (!row) return;
        row.settled = true;
        say(row.parts.party, ...(told.kcv ? [`Key ${told.n} with ${personOf(told.peer)}, good until ${told.expiry}.`, check(told.kcv)] : [told.text]));
      }
      if (told.event === "shown") shown[told.phone] = told.digits;
      if (told.event === "typed") {
        const from = Object.keys(numbers).find((name) => numbers[name] === told.peer) ?? "somebody";
        const row = newRow("voice", from, told.phone, `${told.what}, ${told.digits.replace(/\D/g, "").length} digits`, past);
        const good = !told.message && told.status !== "refused";
        row.classList.toggle("bad", !good);
        const heard = alike(shown[from], told.digits) ? shown[from] : told.digits;
        const slip = heard === told.digits ? [] : [make("p", "digits", `typed: ${told.digits}`)];
        say(row.parts.listener, make("p", "digits", heard), make("p", "soft", "No key is in them."));
        say(row.parts.party, ...slip, told.text || (told.what === "request" ? PAID : ANSWERED), ...(told.kcv ? [check(told.kcv)] : []));
        become(row, good ? "delivered" : "refused", good ? "good" : "not good");
        fly(row, 0, 1, past ? 0 : 0.5);
      }
      list.scrollTop = list.scrollHeight;
    },
    numbers,
    clear() {
      for (const name of Object.keys(shown)) delete shown[name];
      rows.clear();
      list.replaceChildren();
      empty.hidden = false;
      date = "";
    },
  };

  function personOf(number) {
    const name = Object.keys(numbers).find((each) => numbers[each] === number);
    return name ? NAMES[name] : number;
  }
}

// Whether digits that were typed are those that were read out, but for a slip or two.
function alike(read, typed) {
  if (!read || read.length < typed.length) return false;
  return [...typed].filter((digit, place) => digit !== read[place]).length <= 2;
}

function check(value) {
  const found = make("p", "kcv");
  found.append("key check ", make("b", "", value));
  return found;
}
