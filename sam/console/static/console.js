// Renews the part of a page that says so, while somebody may be looking and nobody is typing.
"use strict";
const part = document.querySelector("[data-renew]");
if (part) {
  const seconds = Number(part.dataset.renew);
  const busy = () => document.hidden || part.contains(document.activeElement);
  const renew = async () => {
    if (busy()) return;
    try {
      const answer = await fetch(location.href, { headers: { "X-Refresh": "1" }, redirect: "error" });
      if (answer.status === 401) location.assign("/login");
      if (!answer.ok || busy()) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      part.replaceChildren(...page.querySelector("[data-renew]").childNodes);
      document.querySelector("footer").replaceChildren(...page.querySelector("footer").childNodes);
    } catch {
      // Sam is away for a moment: the next round tells
    }
  };
  setInterval(renew, seconds * 1000);
}
