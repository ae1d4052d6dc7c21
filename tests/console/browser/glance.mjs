// A glance at the two-phone page: does it fit, is it clean, does a link open once, does it come back?
import { visit, options } from "./visit.mjs";

await visit(async ({ page, look, shoot, context }) => {
  const facts = {};
  const lit = (where) => where.waitForFunction(() => document.querySelectorAll(".lcd.unlit").length === 0);
  await lit(page);
  await look("the page");
  facts.width = await page.evaluate(() => document.documentElement.scrollWidth);
  facts.tops = await page.evaluate(() => ["alice", "bob"].map((id) => document.getElementById(id).getBoundingClientRect().top));
  if (options.picture) await shoot(options.picture, { fullPage: true });
  await page.locator("#cheat-replay-ask button").click();
  await page.locator("#cheat-replay-ask .stopped").waitFor();
  facts.steps = await page.locator(".chip.done").allTextContents();
  facts.paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  await page.reload();
  await lit(page);
  facts.reloaded = true;
  const other = await context.newPage();
  await other.goto(options.link);
  await other.locator("#trouble").waitFor();
  facts.second = await other.locator("#trouble").textContent();
  return facts;
});
