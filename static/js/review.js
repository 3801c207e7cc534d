// The review panel: slider and number, time at work, Enter in the password, words that survive a new result.
(function () {
  "use strict";

  function slider(panel) {
    const range = panel.querySelector("[data-confidence-slider]");
    const number = panel.querySelector("input[name=confidence]");
    if (!range || !number) return;
    range.hidden = false;
    range.value = number.value === "" ? 50 : number.value;
    range.addEventListener("input", function () {
      number.value = range.value;
      number.dispatchEvent(new Event("change", { bubbles: true }));
    });
    number.addEventListener("input", () => (range.value = number.value === "" ? 50 : number.value));
  }

  // Seconds with the page in sight and the reader at work: something was moved or pressed in the last minute.
  const IDLE_AFTER = 60_000;
  let lastSign = Date.now();
  for (const sign of ["pointermove", "pointerdown", "keydown", "wheel", "touchmove"]) {
    document.addEventListener(sign, () => (lastSign = Date.now()), { passive: true, capture: true });
  }
  window.setInterval(function () {
    const count = document.querySelector("[data-active-seconds]");
    const atWork = document.visibilityState === "visible" && Date.now() - lastSign < IDLE_AFTER;
    if (count && atWork) count.value = Number(count.value) + 1;
  }, 1000);

  // Enter would press the form's first button, which saves a draft; after a password it is meant to sign.
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Enter" || !event.target.matches("form[data-review] input[name=password]")) return;
    event.preventDefault();
    const form = event.target.closest("form");
    form.requestSubmit(form.querySelector("button[value=sign]"));
  });

  function isTouched(panel) {
    return Boolean(panel.querySelector("form[data-touched]"));
  }

  document.addEventListener("htmx:afterSettle", function (event) {
    if (event.target.closest("#reviews")) slider(document.getElementById("reviews"));
  });
  document.addEventListener("DOMContentLoaded", function () {
    const panel = document.getElementById("reviews");
    if (!panel) return;
    slider(panel);
    const touched = (event) => event.target.closest("form")?.setAttribute("data-touched", "");
    panel.addEventListener("input", touched);
    panel.addEventListener("change", touched);
    // With a result the form also asks whether the reader agrees. A form in use is left alone: saving it
    // asks the question then, with everything that was typed still there.
    document.body.addEventListener("study-finished", function () {
      if (!isTouched(panel)) window.htmx.trigger(panel, "refresh");
    });
    window.addEventListener("beforeunload", function (event) {
      if (isTouched(panel)) event.preventDefault();
    });
  });
})();
