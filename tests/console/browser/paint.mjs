// How soon the console's pages show something, each loaded afresh several times, and how heavy they are.
import { visit, options } from "./visit.mjs";

await visit(async ({ page }) => {
  await page.fill("input[name=token]", options.token);
  await Promise.all([page.waitForEvent("load"), page.locator("button.main").click()]);
  const origin = new URL(page.url()).origin;
  const facts = {};
  for (const path of options.paths) {
    const paints = [];
    for (let round = 0; round < options.rounds; round++) {
      await page.goto(origin + path, { waitUntil: "load" });
      await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length);
      paints.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
    }
    const octets = await page.evaluate(() =>
      [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].reduce((sum, each) => sum + each.decodedBodySize, 0));
    facts[path] = { paints, octets };
  }
  return facts;
});
