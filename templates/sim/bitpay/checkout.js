// Counts the price lock down, and reloads when the invoice has moved on. The page works without it.
(function () {
  "use strict";
  const page = document.querySelector("main[data-status-url]");
  if (!page) return;
  const clock = document.getElementById("clock");
  const end = Date.now() + Number(page.dataset.remainingMs);

  function tick() {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    const seconds = String(left % 60).padStart(2, "0");
    clock.textContent = Math.floor(left / 60) + ":" + seconds;
  }

  async function look() {
    try {
      const answer = await fetch(page.dataset.statusUrl, { cache: "no-store" });
      const now = await answer.json();
      if (now.fingerprint !== page.dataset.fingerprint) {
        location.replace(location.pathname.startsWith("/invoice/") ? now.page : location.href);
        return;
      }
    } catch (error) {
      // The server is away for a moment; the next look will tell.
    }
    setTimeout(look, 500);
  }

  if (clock) {
    tick();
    setInterval(tick, 500);
  }
  if (page.dataset.redirect) {
    setTimeout(function () { location.href = page.dataset.redirect; }, 1500);
  } else {
    setTimeout(look, 500);
  }
})();
