// A visit to a site of ours in Debian's Chromium: what a test needs to see of it, and no more.
//
//     await visit(async ({ page, look, shoot }) => { ... return facts; });
//
// argv: the address to open, then options as JSON. Prints one JSON object: what the visit returned,
// errors on the console, requests to other hosts, octets of the heaviest page with all that belongs
// to it, and what axe-core objects to.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const [, , address, text = "{}"] = process.argv;
export const options = JSON.parse(text);

export async function visit(does) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1440, height: options.height ?? 1000 },
    colorScheme: options.dark ? "dark" : "light",
    reducedMotion: options.motion ? "no-preference" : "reduce",
    javaScriptEnabled: options.javascript ?? true,
    bypassCSP: false,
  });
  const page = await context.newPage();
  const told = { errors: [], foreign: [], heaviest: 0, objections: [], refused: [] };
  const origin = new URL(address).origin;
  page.setDefaultTimeout(30000);
  page.on("console", (said) => said.type() === "error" && told.errors.push(said.text()));
  page.on("pageerror", (fault) => told.errors.push(String(fault)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith("data:")) told.foreign.push(url);
  });
  const bodies = [];
  let here = { octets: 0 };
  page.on("request", (request) => {
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) here = { octets: 0 };
  });
  const weigh = async (response, at) => {
    if (response.headers()["content-type"]?.startsWith("text/event-stream")) return;
    const body = await response.body().catch(() => Buffer.alloc(0));
    at.octets += body.length;
    told.heaviest = Math.max(told.heaviest, at.octets);
  };
  page.on("response", (response) => {
    if (response.status() >= 400) told.refused.push(`${response.status()} ${new URL(response.url()).pathname}`);
    bodies.push(weigh(response, here));
  });
  const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
  // axe-core comes in by the debugger's door, which the page's policy does not govern
  const look = async (where) => {
    await page.evaluate(axe);
    const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    for (const { id, nodes } of found.violations) {
      for (const node of nodes) told.objections.push(`${where}: ${id}: ${node.target.join(" ")}: ${node.failureSummary}`);
    }
  };
  const shoot = (path, choice = {}) => page.screenshot({ path, ...choice });
  try {
    await page.goto(address, { waitUntil: "load" });
    const facts = await does({ page, look, shoot, context, told });
    await Promise.all(bodies);
    console.log(JSON.stringify({ ...told, facts }));
  } catch (fault) {
    console.log(JSON.stringify({ ...told, fault: String(fault?.stack ?? fault), text: await page.textContent("body").catch(() => "") }));
  } finally {
    await browser.close();
  }
}
