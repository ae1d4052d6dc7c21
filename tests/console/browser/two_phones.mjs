// A person's whole path on the two-phone page: by keys and by pointer, then the story, then cheats.
import { visit, options } from "./visit.mjs";

await visit(async ({ page, look, shoot }) => {
  const facts = {};
  const lcd = (name) => page.locator(`#${name} .lcd`);
  const screen = (name, title) => lcd(name).locator(".screen-title", { hasText: title }).waitFor();
  const code = async (name) => (await lcd(name).locator(".groups span").allTextContents()).join("");
  const type = async (name, keys) => {
    await page.locator(`#${name} .phone`).focus();
    for (const key of keys) await page.keyboard.press(key);
  };

  await screen("alice", "Menu");
  await screen("bob", "Menu");
  await look("the menus");

  // a fast network: by its slider
  await page.locator("#delay").focus();
  await page.keyboard.press("Home");
  await page.locator("#delay-out", { hasText: "0.0 s" }).waitFor();

  // Alice asks, by her keyboard; both lose their signal
  await type("alice", ["1", "1"]);
  await screen("alice", "Message from Sam");
  facts.answer = await lcd("alice").locator(".text").textContent();
  for (const name of ["alice", "bob"]) {
    await page.locator(`#${name}`).getByRole("switch").click();
    await page.locator(`#${name}.no-signal`).waitFor();
  }

  // 20 digits, typed with a slip, mended with one more group
  await type("alice", ["Escape", "ArrowDown", "Enter", "1"]);
  await screen("alice", "Ticket");
  const digits = await code("alice");
  facts.digits = digits.length;
  const slipped = digits.slice(0, 6) + ((Number(digits[6]) + 1) % 10) + digits.slice(7);
  await type("bob", ["3", "1", ...slipped]);
  await lcd("bob").locator(".content.asking").waitFor();
  facts.asking = await lcd("bob").locator(".text").textContent();
  await type("alice", ["Enter"]);
  await page.waitForFunction(() => document.querySelectorAll("#alice .groups span").length === 6);
  await type("bob", [...(await code("alice")).slice(20)]);
  await screen("bob", "Key held");
  facts.repaired = await lcd("bob").locator(".groups .repaired").textContent();
  facts.group = digits.slice(4, 8);
  facts.said = await page.locator("#bob [aria-live]").textContent();

  if (options.picture) {
    const [top, stage] = [await page.locator(".guide").boundingBox(), await page.locator(".stage").boundingBox()];
    await page.evaluate(() => document.activeElement.blur());
    const height = Math.min(stage.y + stage.height - top.y + 24, 880);
    await shoot(options.picture, { fullPage: true, clip: { x: 0, y: top.y - 12, width: options.width, height } });
  }

  // each proves to the other who it is, by the pointer this time
  const tap = async (name, keys) => {
    for (const key of keys) await page.locator(`#${name} .pad button`, { hasText: key }).first().click();
  };
  await tap("bob", ["End", "4", "1"]);
  await screen("bob", "Challenge");
  await page.locator("#bob").getByRole("button", { name: "Read to Alice" }).click();
  await screen("alice", "Response");
  await page.locator("#alice").getByRole("button", { name: "Read to Bob", exact: true }).click();
  await screen("bob", "Proved");
  await look("the proof");

  // the other steps are shown by the page itself: it presses the same keys
  for (const step of options.steps) {
    await page.locator(".chip", { hasText: step }).click();
    await page.click("#show");
    await page.locator(".chip.done", { hasText: step }).waitFor();
    await page.locator("#show:enabled").waitFor();
  }
  facts.purses = await page.locator(".purse").allTextContents();
  await look("the payments");

  facts.steps = await page.locator(".chip.done").allTextContents();
  facts.hops = await page.locator(".hop .what b").allTextContents();
  facts.overheard = await page.locator(".hop.voice .listener .digits").first().textContent();

  // cheats: each of them is refused by the real thing
  facts.outcomes = {};
  for (const cheat of options.cheats) {
    const card = page.locator(`#cheat-${cheat}`);
    await card.getByRole("button").click();
    const outcome = card.locator(".outcome.stopped, .outcome.through, .outcome.tried");
    await outcome.waitFor();
    facts.outcomes[cheat] = [await outcome.getAttribute("class"), await outcome.textContent()];
  }
  await look("the cheats");
  facts.width = await page.evaluate(() => document.documentElement.scrollWidth);
  facts.session = await page.evaluate(() => [location.href, document.cookie]);
  return facts;
});
