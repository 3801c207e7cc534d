// The review panel: slider, time at work, Enter in the password, worklist keys, words that survive a result.
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
  const KEEP_EVERY = 60;
  let sinceKept = 0;
  let lastSign = Date.now();
  for (const sign of ["pointermove", "pointerdown", "keydown", "wheel", "touchmove"]) {
    document.addEventListener(sign, () => (lastSign = Date.now()), { passive: true, capture: true });
  }
  window.setInterval(function () {
    const count = document.querySelector("[data-active-seconds]");
    const atWork = document.visibilityState === "visible" && Date.now() - lastSign < IDLE_AFTER;
    if (count && atWork) count.value = Number(count.value) + 1;
    if (atWork && ++sinceKept >= KEEP_EVERY) keep();
  }, 1000);

  // The film is held while its reader is at work on it; otherwise it becomes free by itself.
  function keep() {
    sinceKept = 0;
    const held = document.querySelector("[data-holds]");
    if (held) window.htmx.ajax("POST", held.dataset.holds, { values: { keep: 1 }, swap: "none", source: held });
  }
  document.body.addEventListener("claim-lost", function (event) {
    document.querySelector("[data-holds]")?.removeAttribute("data-holds");
    const words = document.querySelector("[data-words-taken]")?.dataset.wordsTaken ?? "{reader}";
    window.pneumoweb.say(words.replace("{reader}", event.detail.reader));
  });

  // j and k go on to the next and back to the previous film of the worklist.
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
    const link = ["j", "k"].includes(event.key) && document.querySelector(`#reviews a[data-key="${event.key}"]`);
    if (link) link.click();
  });

  // Enter would press the form's first button, which saves a draft; after a password it is meant to sign.
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Enter" || !event.target.matches("form[data-review] input[name=password]")) return;
    event.preventDefault();
    event.target.closest("form").querySelector("button[value=sign]").click(); // a click tells htmx which button
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
      const asks = panel.querySelector("input[name=agrees_with_ai]");
      if (!asks && !isTouched(panel)) window.htmx.trigger(panel, "refresh");
    });
    // A signature opens a result that was hidden.
    document.body.addEventListener("review-signed", function () {
      const hidden = document.querySelector("[data-withheld]");
      if (hidden) window.htmx.ajax("GET", hidden.dataset.withheld, { target: "#study-status", swap: "outerHTML" });
    });
    window.addEventListener("beforeunload", function (event) {
      if (isTouched(panel)) event.preventDefault();
    });
  });
})();
