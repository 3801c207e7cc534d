// The theme: light, dark or the system's, set before the first paint and changed by the button in the header.
// A signed-in person's choice comes with the page; otherwise this browser's stored one is used.
// The only classic script: modules run after parsing, so the page would flash in the wrong theme.
(function () {
  "use strict";
  const KEY = "pneumoweb-theme";
  const CHOICES = ["system", "light", "dark"];
  const DELAY = 300; // milliseconds
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function stored() {
    try {
      const value = window.localStorage.getItem(KEY);
      return CHOICES.includes(value) ? value : "system";
    } catch {
      return "system"; // storage may be forbidden; the page works without it
    }
  }

  let choice = CHOICES.includes(root.dataset.themeChoice) ? root.dataset.themeChoice : stored();

  let unsent = null;
  let waiting = 0;

  function paint() {
    const dark = choice === "dark" || (choice === "system" && system.matches);
    root.dataset.bsTheme = dark ? "dark" : "light";
    root.dataset.themeChoice = choice;
  }

  function label(button) {
    const { themeSystem, themeLight, themeDark } = button.dataset;
    const sentences = { system: themeSystem, light: themeLight, dark: themeDark };
    button.setAttribute("aria-label", sentences[choice]);
    button.title = sentences[choice];
  }

  function keep(button) {
    try {
      window.localStorage.setItem(KEY, choice);
    } catch {
      // kept for this page only
    }
    if (!button.dataset.keep) return;
    // Sent after a pause, so that quick clicks do not overtake each other; at the latest on leaving the page.
    window.clearTimeout(waiting);
    unsent = function () {
      unsent = null;
      const body = new URLSearchParams({ theme: choice, csrfmiddlewaretoken: button.dataset.csrf });
      fetch(button.dataset.keep, { method: "POST", body, keepalive: true }).catch(() => {});
    };
    waiting = window.setTimeout(() => unsent?.(), DELAY);
  }

  function change(button) {
    choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
    paint();
    label(button);
    keep(button);
  }

  paint();
  system.addEventListener("change", paint);
  window.addEventListener("pagehide", () => unsent?.());
  document.addEventListener("DOMContentLoaded", function () {
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.hidden = false;
      label(button);
      button.addEventListener("click", () => change(button));
    }
  });
})();
