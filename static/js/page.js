// What every page does: dismissible messages, menus that close, and a sentence when the server does not answer.
(function () {
  "use strict";

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

  document.addEventListener("htmx:sendError", () => say("The server did not answer. Check the connection, then try again."));
  document.addEventListener("htmx:responseError", function (event) {
    const status = event.detail.xhr.status;
    if (status === 403) say("You are not allowed to do this, or the page is too old. Reload it and try again.");
    else if (status === 404) say("This is not there any more. Reload the page.");
    else say("Something went wrong on the server. Reload the page and try again.");
  });

  window.pneumoweb = { say };
})();
