// The two-phone page: one stream of events in, key presses out. All that is shown was told.
import { makePhone } from "./simulator-phone.js";
import { makeChart } from "./simulator-chart.js";
import { makeStory } from "./simulator-story.js";

const SESSION = "dtns session";
const here = (path) => new URL(path, document.baseURI.split("#")[0]);
const $ = (id) => document.getElementById(id);

let session = sessionStorage.getItem(SESSION);
let past = true;

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

async function post(path, body) {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${session}` };
  const response = await fetch(here(path), { method: "POST", headers, body: JSON.stringify(body) });
  const told = await response.json();
  if (!response.ok) refusal(told.refused);
  return response.ok ? told : null;
}

// Orders leave one after another, so that keys arrive in the order in which they were pressed.
let last = Promise.resolve();
function order(body) {
  last = last.then(() => post("order", body)).catch(() => null);
  return last;
}

let refusals = 0;
function refusal(why) {
  refusals += 1;
  $("refused").textContent = `Refused so far: ${refusals}.`;
  if (why) $("verdict").textContent = why;
}

const phones = {};
for (const [name, title] of [["alice", "Alice"], ["bob", "Bob"], ["mallory", "Mallory"]]) {
  phones[name] = makePhone($(name), name, title, order);
}
const chart = makeChart($("chart"), $("chart-empty"), order);
const story = makeStory({ phones, chart, order, $ });
for (const phone of Object.values(phones)) phone.onRead = (to, options) => story.readAloud(phone.name, to, options);

for (const name of ["delay", "loss", "duplication"]) {
  $(name).addEventListener("input", () => showWeather(name, Number($(name).value)));
  $(name).addEventListener("change", () => order({ network: { [name]: Number($(name).value) } }));
}
for (const button of document.querySelectorAll("[data-days]")) {
  button.addEventListener("click", () => order({ days: Number(button.dataset.days) }));
}
$("restart").addEventListener("click", () => order({ restart: true }));

function showWeather(name, value) {
  $(`${name}-out`).textContent = name === "delay" ? `${value.toFixed(1)} s` : `${Math.round(value * 100)} %`;
}

const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

function take(told) {
  if ("past" in told) {
    past = told.past;
    if (past) startOver();
    return;
  }
  if (told.why) trouble(`The two phones stopped: ${told.why} Start all over, below.`);
  if (told.restarted || told.down) return startOver(true);
  if (told.network) {
    trouble("");
    for (const [name, value] of Object.entries(told.network)) {
      $(name).value = value;
      showWeather(name, value);
    }
    $("today").textContent = DAY.format(new Date(told.today));
    $("today").dateTime = told.today;
    chart.day($("today").textContent, past);
    for (const [name, number] of Object.entries(told.numbers)) phones[name].number(number);
  }
  if (told.screen) phones[told.phone].show(told.screen);
  if (told.off) phones[told.phone].off();
  if (told.sms) chart.sms(told.sms, past);
  if (told.event) chart.spoken(told, past);
  if (told.refused) refusal(told.refused);
  story.take(told, past);
}

function startOver(down = false) {
  chart.clear();
  story.clear();
  if (down) for (const phone of Object.values(phones)) phone.off();
}

// The link's token stands in the address, where no server sees it, or on a page of the console.
const granted = $("trouble").dataset.token;
const another = granted ? "Reload the page." : "Press Enter where `dtns demo --web` runs: it shows another one.";

async function open() {
  const token = location.hash.slice(1) || (session ? "" : granted);
  if (token) {
    history.replaceState(null, "", location.pathname);
    const told = await post("open", { token });
    if (told) sessionStorage.setItem(SESSION, (session = told.session));
  }
  if (!session) {
    trouble(`This link was used before. ${another}`);
    return false;
  }
  return true;
}

let retried = false;

async function listen() {
  const response = await fetch(here("events"), { headers: { Authorization: `Bearer ${session}` } });
  if (response.status === 401) {
    sessionStorage.removeItem(SESSION);
    session = null;
    if (granted && !retried) return (retried = await open());
    trouble(`This page was opened by an older link. ${another}`);
    return false;
  }
  if (!response.ok) {
    trouble((await response.json()).refused);
    return true;
  }
  trouble("");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let unread = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return true;
    const parts = (unread + value).split("\n\n");
    unread = parts.pop();
    for (const part of parts) if (part.startsWith("data: ")) take(JSON.parse(part.slice(6)));
  }
}

if (await open()) {
  let again = true;
  while (again) {
    try {
      again = await listen();
    } catch {
      trouble("The phones are not there any more. This page looks for them again.");
      for (const phone of Object.values(phones)) phone.off();
    }
    if (again) await new Promise((done) => setTimeout(done, 1500));
  }
}
