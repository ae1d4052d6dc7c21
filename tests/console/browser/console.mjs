// An operator's evening at the console: logs in, looks at everything, and does what can be done.
import { visit, options } from "./visit.mjs";

await visit(async ({ page, look, shoot }) => {
  const facts = { widths: {} };
  const origin = new URL(page.url()).origin;
  const picture = async (name) => {
    facts.widths[name] = await page.evaluate(() => document.documentElement.scrollWidth);
    if (options.pictures) await shoot(`${options.pictures}/${name}.png`, { fullPage: options.whole ?? true });
    if (options.javascript !== false) await look(name);
  };
  const follow = (where) => Promise.all([page.waitForEvent("load"), page.locator(where).first().click()]);
  const main = () => page.locator("main").innerText();

  await picture("login");
  await page.fill("input[name=token]", options.token);
  await follow("button.main");
  facts.overview = await main();
  await picture("overview");

  await follow("nav a[href='/issues']");
  await picture("exchanges");
  await page.selectOption("select[name=outcome]", "refused");
  await follow("button.main");
  facts.refused = await page.locator("tbody tr").count();
  await follow("nav a[href='/issues']");
  await follow("tbody tr:last-child th a");
  facts.exchange = await main();
  await picture("exchange");

  await follow("nav a[href='/parties']");
  await picture("parties");
  await page.fill("input[type=tel]", options.number);
  await follow("button.main");
  facts.masked = await page.locator("h1").innerText();
  await picture("party");
  await follow("main form button");
  facts.full = await page.locator("h1").innerText();
  await follow("nav a[href='/parties']");
  await page.fill("input[type=tel]", options.number);
  await follow("button.main");
  await follow("a[href$='/suspend']");
  await picture("confirm");
  await follow("main button");
  facts.suspended = await main();
  await follow("a[href$='/resume']");
  await follow("main button");
  facts.resumed = await main();

  await page.goto(`${origin}/`);
  await follow("a[href$='/drain']");
  await follow("main button");
  facts.drained = await main();
  await page.waitForFunction(() => true);
  await page.goto(`${origin}/`);
  await follow("a[href$='/resume']");
  await follow("main button");

  await follow("nav a[href='/deeds']");
  facts.deeds = await main();
  await picture("deeds");
  await page.goto(`${origin}/`);
  await page.keyboard.press("Tab");
  facts.first = await page.evaluate(() => document.activeElement.textContent);
  await follow("header button");
  facts.left = page.url();
  return facts;
});
