// Buttons that copy a value to the clipboard.
import { announce } from "./announce.js";

// The clipboard is there in secure contexts only; elsewhere the buttons stay hidden.
export function showCopyButtons() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      announce(button.dataset.wordsCopied);
      button.classList.add("pw-copied");
      window.setTimeout(() => button.classList.remove("pw-copied"), 1500);
    });
  }
}
