// Light, dark or as the system says: set before the first paint, switched by the button in the header.
// The page brings the signed-in person's stored choice; without one, this browser's own is used.
(function () {
  "use strict";
  const KEY = "pneumoweb-theme";
  const CHOICES = ["system", "light", "dark"];
  const REST = 300; // milliseconds
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
    const sentences = { system: button.dataset.themeSystem, light: button.dataset.themeLight, dark: button.dataset.themeDark };
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
    // Sent once the hand rests, so that quick clicks do not overtake each other; at the latest on leaving.
    window.clearTimeout(waiting);
    unsent = function () {
      unsent = null;
      const body = new URLSearchParams({ theme: choice, csrfmiddlewaretoken: button.dataset.csrf });
      fetch(button.dataset.keep, { method: "POST", body, keepalive: true }).catch(() => {});
    };
    waiting = window.setTimeout(() => unsent?.(), REST);
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
