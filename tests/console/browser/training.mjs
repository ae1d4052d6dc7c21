// An operator at the console opens the two phones, plays a step, and goes back.
import { visit, options } from "./visit.mjs";

await visit(async ({ page, look }) => {
  const facts = {};
  const follow = (where) => Promise.all([page.waitForEvent("load"), page.locator(where).first().click()]);
  await page.fill("input[name=token]", options.token);
  await follow("button.main");
  await follow("nav a[href='/phones/']");
  await page.locator("#alice .items").waitFor();
  await look("the two phones");
  await page.click("#show");
  await page.locator(".chip.done", { hasText: "Ask" }).waitFor();
  facts.answer = await page.locator("#alice .lcd .text").textContent();
  await page.reload();
  await page.locator(".chip.done", { hasText: "Ask" }).waitFor();
  await follow("nav a[href='/']");
  facts.back = await page.title();
  return facts;
});
