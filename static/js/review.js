// The review panel: the slider follows the number, and typed words survive the arrival of a result.
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
