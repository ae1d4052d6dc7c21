// The pictures for the READMEs: the overview, and the exchange that took longest.
import { visit, options } from "./visit.mjs";

await visit(async ({ page, shoot }) => {
  await page.fill("input[name=token]", options.token);
  await Promise.all([page.waitForEvent("load"), page.locator("button.main").click()]);
  await shoot(`${options.pictures}/overview.png`);
  await page.goto(`${new URL(page.url()).origin}/issues/1`);
  await shoot(`${options.pictures}/exchange.png`);
  return {};
});
