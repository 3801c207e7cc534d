// Light, dark or as the system says: set before the first paint, switched by the button in the header.
(function () {
  "use strict";
  const KEY = "pneumoweb-theme";
  const CHOICES = ["auto", "light", "dark"];
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function stored() {
    try {
      const value = window.localStorage.getItem(KEY);
      return CHOICES.includes(value) ? value : "auto";
    } catch {
      return "auto"; // storage may be forbidden; the page works without it
    }
  }

  let choice = stored();

  function paint() {
    const dark = choice === "dark" || (choice === "auto" && system.matches);
    document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
    document.documentElement.dataset.themeChoice = choice;
  }

  function label(button) {
    const next = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
    button.setAttribute("aria-label", `Theme: ${choice}. Change to ${next}.`);
    button.title = `Theme: ${choice}`;
  }

  function change(button) {
    choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
    try {
      window.localStorage.setItem(KEY, choice);
    } catch {
      // kept for this page only
    }
    paint();
    label(button);
  }

  paint();
  system.addEventListener("change", paint);
  document.addEventListener("DOMContentLoaded", function () {
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.hidden = false;
      label(button);
      button.addEventListener("click", () => change(button));
    }
  });
})();
