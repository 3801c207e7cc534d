// Messages for the person: spoken by a screen reader only, or shown at the top of the page.

export function announce(text) {
  const announcer = document.querySelector("[data-announcer]");
  if (announcer) announcer.textContent = text;
}

// The same message is shown once.
export function showMessage(text) {
  const region = document.getElementById("messages");
  if (!region) return;
  const shown = [...region.querySelectorAll("[data-client-message]")];
  if (shown.some((item) => item.textContent.includes(text))) return;
  const template = document.getElementById("message-template");
  const item = template.content.firstElementChild.cloneNode(true);
  item.dataset.clientMessage = "";
  item.querySelector("[data-message-text]").textContent = text;
  region.append(item);
}
