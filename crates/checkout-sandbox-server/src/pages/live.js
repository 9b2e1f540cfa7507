// Renews the parts of the page that can change, as soon as something has changed.
(() => {
  const events = new EventSource(document.currentScript.dataset.events);
  let [isAsked, isAtWork] = [false, false];
  const renew = async () => {
    const signal = AbortSignal.timeout(10_000); // A look that hangs holds up all others.
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, signal });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      if (!next || next.innerHTML === part.innerHTML) continue;
      const held = part.contains(document.activeElement) && document.activeElement.dataset.testid;
      const open = [...part.querySelectorAll("details[open]")].map((of) => of.dataset.testid);
      part.innerHTML = next.innerHTML;
      for (const of of part.querySelectorAll("details")) of.open = open.includes(of.dataset.testid);
      if (held) part.querySelector(`[data-testid="${held}"]`)?.focus();
    }
  };
  // One look at a time, so that no older answer comes after a newer one, and another look after an event.
  events.onmessage = async () => {
    isAsked = true;
    if (isAtWork) return;
    isAtWork = true;
    while (isAsked) {
      await new Promise((after) => setTimeout(after, 50));
      isAsked = false;
      await renew().catch(() => {}); // The next event asks again.
    }
    isAtWork = false;
  };
})();
