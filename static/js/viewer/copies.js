// Buttons that copy a value of the study page.
(function () {
  "use strict";

  document.addEventListener("DOMContentLoaded", function () {
    if (!navigator.clipboard) return; // only in secure contexts; the whole value is in the title then
    for (const button of document.querySelectorAll("[data-copy]")) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(button.dataset.copy);
        document.querySelector("[data-announcer]").textContent = "Copied.";
        button.classList.add("pw-copied");
        window.setTimeout(() => button.classList.remove("pw-copied"), 1500);
      });
    }
  });
})();
