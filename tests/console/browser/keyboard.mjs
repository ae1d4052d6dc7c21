// An operator without a mouse: logs in, finds a party, suspends and resumes it, and logs out.
import { visit, options } from "./visit.mjs";

await visit(async ({ page, look }) => {
  const facts = { steps: 0 };
  const focused = () => page.evaluate(() => {
    const here = document.activeElement;
    const box = here.getBoundingClientRect();
    const ring = getComputedStyle(here).outlineStyle;
    return { text: (here.innerText || here.getAttribute("aria-label") || here.name || "").trim(), tag: here.tagName, ring, seen: box.width > 0 };
  });
  const reach = async (text) => {
    for (let tries = 0; tries < 60; tries++) {
      await page.keyboard.press("Tab");
      facts.steps++;
      const here = await focused();
      if (here.text === text) {
        if (here.ring === "none" || !here.seen) throw new Error(`nobody sees that ${text} has the focus`);
        return;
      }
    }
    throw new Error(`${text} is out of reach of the keyboard`);
  };
  const enter = () => Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);

  await reach("token");
  await page.keyboard.type(options.token);
  await enter();
  await reach("Skip to the content");
  await page.keyboard.press("Enter");
  facts.skipped = await page.evaluate(() => document.activeElement.id);
  await page.reload();
  await reach("Parties");
  await enter();
  await reach("number");
  await page.keyboard.type(options.number);
  await enter();
  for (const deed of ["Suspend", "Resume"]) {
    await reach(deed);
    await enter();
    await reach(deed);
    await enter();
    facts[deed] = await page.getByRole("status").innerText();
  }
  await look("after the last deed");
  facts.landmarks = await page.evaluate(() => ["header", "nav", "main", "footer"].filter((each) => document.querySelectorAll(each).length >= 1).length);
  facts.headings = await page.getByRole("heading", { level: 1 }).count();
  await reach("Log out");
  await enter();
  facts.left = page.url();
  return facts;
});
