// Turns the result page from "waiting" to "paid" by itself. Without it, the page reloads by its meta tag.
(function () {
  "use strict";
  var FIRST_MS = 1000, LONGEST_MS = 30000, SLOWER = 1.25;
  var page = document.getElementById("result");
  var pause = FIRST_MS, timer = null;

  function show(state) {
    if (page.dataset.progress !== state.progress) {
      page.dataset.progress = state.progress;
      document.getElementById("result-title").textContent = state.title;
      document.getElementById("result-text").textContent = state.text;
      pause = FIRST_MS;
    }
    var checkout = document.getElementById("result-checkout");
    if (checkout) { checkout.hidden = !state.is_payable; }
    return state.is_live;
  }

  function look() {
    timer = null;
    fetch(location.href, { headers: { Accept: "application/json" }, cache: "no-store" })
      .then(function (answer) { return answer.ok ? answer.json().then(show) : true; })
      .catch(function () { return true; })
      .then(function (live) { if (live) { later(); } });
  }

  function later() {
    pause = Math.min(pause * SLOWER, LONGEST_MS);
    timer = setTimeout(look, pause);
  }

  document.addEventListener("visibilitychange", function () {
    if (!document.hidden && timer !== null) { clearTimeout(timer); pause = FIRST_MS; look(); }
  });
  later();
}());
