// One feature phone: draws the screen that the handset tells, and sends its keys.
const KEYS = [
  ["1", ""], ["2", "abc"], ["3", "def"], ["4", "ghi"], ["5", "jkl"], ["6", "mno"],
  ["7", "pqrs"], ["8", "tuv"], ["9", "wxyz"], ["*", ""], ["0", "+"], ["#", "next"],
];
const TYPED = { Enter: "ok", Backspace: "clear", Delete: "clear", Escape: "end", ArrowUp: "up", ArrowDown: "down", " ": "#" };
const MARKS = { ok: "✓", short: "few", long: "many", "no-group": "✗" };
const SAID = { ok: "whole", short: "too few digits", long: "too many digits", "no-group": "no such group", open: "typing", empty: "empty" };

export function make(tag, className = "", text = "") {
  const found = document.createElement(tag);
  if (className) found.className = className;
  if (text) found.textContent = text;
  return found;
}

function button(className, label, press, text = "") {
  const found = make("button", className, text);
  found.type = "button";
  found.tabIndex = -1;
  if (label) found.setAttribute("aria-label", label);
  found.addEventListener("click", press);
  return found;
}

export function makePhone(root, name, title, order) {
  const press = (key) => order({ phone: name, press: key });

  const head = make("header", "owner");
  const who = make("h2", "", title);
  const number = make("span", "number soft small");
  const signal = make("button", "switch");
  signal.type = "button";
  signal.setAttribute("role", "switch");
  signal.setAttribute("aria-checked", "false");
  signal.append(make("span", "unseen", `${title}’s `), "Signal", make("span", "knob"));
  signal.addEventListener("click", () => order({ phone: name, signal: signal.getAttribute("aria-checked") !== "true" }));
  const purse = make("span", "purse small");
  who.append(number, purse);
  head.append(who, signal);

  const body = make("div", "phone");
  body.tabIndex = 0;
  body.setAttribute("role", "application");
  body.setAttribute("aria-roledescription", "phone");
  body.setAttribute("aria-label", `${title}’s phone. Type digits; Enter is OK, Backspace goes back, Escape is the red key.`);
  const lcd = make("div", "lcd");
  lcd.setAttribute("aria-hidden", "true");
  const pad = make("div", "pad");
  const buttons = {};
  const put = (key, className, label, text) => {
    buttons[key] = button(className, label, () => { body.focus({ preventScroll: true }); press(key); }, text);
    return buttons[key];
  };
  const top = make("div", "soft-keys");
  const rocker = make("div", "rocker");
  rocker.append(put("up", "nav", "Up", "▲"), put("down", "nav", "Down", "▼"));
  top.append(put("ok", "soft-key", "OK", "OK"), rocker, put("clear", "soft-key", "C: back or erase", "C"));
  const digits = make("div", "digits-pad");
  for (const [key, letters] of KEYS) {
    const found = put(key, "digit");
    const small = make("small", "", letters);
    small.setAttribute("aria-hidden", "true");
    found.append(make("b", "", key), small);
    digits.append(found);
  }
  pad.append(top, put("end", "end-key", "End: back to the menu", "End"), digits);
  body.append(make("div", "speaker"), lcd, pad);

  const live = make("div", "unseen");
  live.setAttribute("aria-live", "polite");
  const aloud = make("div", "aloud");
  const battery = make("button", "plain small battery", "Pull out the battery");
  battery.type = "button";
  battery.append(make("span", "unseen", ` of ${title}’s phone`));
  battery.addEventListener("click", () => order({ phone: name, battery: "out" }));
  root.append(head, body, live, aloud, battery);

  body.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const key = TYPED[event.key] ?? (/^[0-9*#]$/.test(event.key) ? event.key : null);
    if (!key || event.target !== body) return;
    event.preventDefault();
    flash(key);
    press(key);
  });

  function flash(key) {
    const found = buttons[key];
    found.classList.add("down");
    setTimeout(() => found.classList.remove("down"), 130);
  }

  const phone = {
    name,
    title,
    root,
    screen: null,
    onRead: null,
    press: (key) => { flash(key); return press(key); },
    number(text) { number.textContent = text; },
    off() {
      phone.screen = null;
      lcd.replaceChildren(make("p", "dark", "switching on…"));
      lcd.classList.add("unlit");
      aloud.replaceChildren();
    },
    show(screen) {
      const before = phone.screen;
      phone.screen = screen;
      lcd.classList.remove("unlit");
      signal.setAttribute("aria-checked", String(screen.signal));
      root.classList.toggle("no-signal", !screen.signal);
      purse.textContent = screen.balance;
      draw(lcd, screen);
      const text = spoken(screen, before);
      if (live.textContent !== text) live.textContent = text;
      offerToRead(screen);
    },
  };

  function offerToRead(screen) {
    const kept = aloud.dataset.code === screen.code.join(" ") + screen.tone + screen.title;
    if (kept) return;
    aloud.dataset.code = screen.code.join(" ") + screen.tone + screen.title;
    aloud.replaceChildren();
    if (!screen.code.length || screen.tone !== "plain" || name === "mallory") return;
    const to = name === "alice" ? "bob" : "alice";
    const other = to === "bob" ? "Bob" : "Alice";
    aloud.append(readButton(`Read to ${other}`, to, {}), readButton("… with a slip", to, { slip: true }));
  }

  function readButton(text, to, options) {
    const found = make("button", "read", text);
    found.type = "button";
    found.addEventListener("click", () => phone.onRead?.(to, options));
    return found;
  }

  phone.off();
  return phone;
}

function draw(lcd, screen) {
  const status = make("div", "status");
  const bars = make("span", screen.signal ? "bars" : "bars none");
  for (let bar = 0; bar < 4; bar += 1) bars.append(make("i"));
  status.append(bars, make("span", "when", screen.today.split("-").reverse().join(".")), make("span", "mail", screen.news ? "✉" : screen.waiting ? "…" : ""));
  const main = make("div", `content ${screen.tone}`);
  if (screen.text && !screen.code.length) main.append(make("p", "text", screen.text));
  if (screen.items.length) {
    const list = make("ol", "items");
    screen.items.forEach((item, place) => list.append(make("li", place === screen.selected ? "selected" : "", item)));
    main.append(list);
    bring(main, list.querySelector(".selected"));
  }
  if (screen.code.length) {
    const groups = make("div", screen.code.length > 6 ? "groups many" : "groups");
    screen.code.forEach((group, place) => groups.append(make("span", screen.repaired.includes(place + 1) ? "repaired" : "", group)));
    main.append(groups, make("p", "text", screen.text));
  }
  if (screen.boxes.length) {
    const boxes = make("div", screen.boxes.length > 6 ? "boxes many" : "boxes");
    for (const box of screen.boxes) {
      const found = make("span", `box ${box.mark}${box.open ? " open" : ""}`);
      found.append(make("b", "", box.digits.padEnd(4, "_")), make("small", "", MARKS[box.mark] ?? ""));
      boxes.append(found);
    }
    main.append(boxes);
    bring(main, boxes.querySelector(".open"));
  }
  if (screen.typed !== null) main.append(make("p", "typed", screen.typed || "_"));
  if (screen.news) main.append(make("p", "news", `✉ ${screen.news}`));
  const soft = make("div", "soft-labels");
  for (const key of screen.keys) soft.append(make("span", "", key));
  lcd.replaceChildren(status, make("h3", "screen-title", screen.title), main, soft);
}

// Scrolls the display, and nothing else, so that *found* is seen.
function bring(main, found) {
  requestAnimationFrame(() => {
    if (!found) return;
    const below = found.getBoundingClientRect().bottom - main.getBoundingClientRect().bottom;
    if (below > 0) main.scrollTop += below + 2;
  });
}

// What a screen reader says: the whole screen, or while somebody types, the group alone.
function spoken(screen, before) {
  const typing = screen.boxes.length && before?.title === screen.title && before.text === screen.text;
  const parts = typing ? [] : [screen.title, screen.text];
  parts.push(...screen.items.map((item, place) => `${place + 1} ${item}`));
  if (screen.code.length) parts.push(`Digits: ${screen.code.map((group) => [...group].join(" ")).join(", ")}`);
  const open = screen.boxes.findIndex((box) => box.open);
  if (open >= 0) parts.push(`Group ${open + 1} of ${screen.boxes.length}: ${[...screen.boxes[open].digits].join(" ")} ${SAID[screen.boxes[open].mark] ?? ""}`);
  if (screen.typed !== null) parts.push(screen.typed);
  if (screen.news) parts.push(screen.news);
  if (!screen.signal) parts.push("No signal");
  return parts.filter(Boolean).join(". ");
}
