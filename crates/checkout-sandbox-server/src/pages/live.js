// Renews the parts of the page that can change, as soon as something has changed.
(() => {
  const events = new EventSource(document.currentScript.dataset.events);
  let waits = false;
  const renew = async () => {
    waits = false;
    const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
    if (!answer || !answer.ok) return;
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
  events.onmessage = () => {
    if (waits) return;
    waits = true;
    setTimeout(renew, 50);
  };
})();
