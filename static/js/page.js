// What every page does: dismissible messages, menus that close, and a sentence when the server does not answer.
(function () {
  "use strict";

  // Sentences come from the page, in its language.
  const words = () => document.getElementById("messages").dataset;

  function say(text) {
    const region = document.getElementById("messages");
    if (!region) return;
    const same = [...region.querySelectorAll("[data-client-message]")].some((item) => item.textContent.includes(text));
    if (same) return;
    const template = document.getElementById("message-template");
    const item = template.content.firstElementChild.cloneNode(true);
    item.dataset.clientMessage = "";
    item.querySelector("[data-message-text]").textContent = text;
    region.append(item);
  }

  document.addEventListener("click", function (event) {
    const closer = event.target.closest("[data-dismiss]");
    if (closer) closer.closest("[data-dismissible]").remove();
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  document.addEventListener("htmx:sendError", () => say(words().noAnswer));
  document.addEventListener("htmx:responseError", function (event) {
    const status = event.detail.xhr.status;
    if (status === 403) say(words().notAllowed);
    else if (status === 404) say(words().gone);
    else say(words().serverError);
  });

  window.pneumoweb = { say };
})();
