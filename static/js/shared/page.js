// Every page: dismissible messages, menus that close, a message when the server does not answer.
import { showMessage } from "./announce.js";

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

const sentences = () => document.getElementById("messages").dataset;

document.addEventListener("htmx:sendError", () => showMessage(sentences().noAnswer));
document.addEventListener("htmx:responseError", function (event) {
  const status = event.detail.xhr.status;
  if (status === 403) showMessage(sentences().notAllowed);
  else if (status === 404) showMessage(sentences().gone);
  else showMessage(sentences().serverError);
});
