// The overview while somebody looks at it: the hands are off, the page renews itself.
import { visit, options } from "./visit.mjs";

await visit(async ({ page, look }) => {
  await page.fill("input[name=token]", options.token);
  await Promise.all([page.waitForEvent("load"), page.locator("button.main").click()]);
  const before = await page.locator("footer time").textContent();
  await page.waitForFunction((was) => document.querySelector("footer time").textContent !== was, before, { timeout: 25000 });
  await look("renewed");
  return { before, after: await page.locator("footer time").textContent() };
});
