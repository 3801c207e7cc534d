// The review panel: slider, active time, claim, Enter in the password, worklist keys, unsaved input.
import { showMessage } from "../shared/announce.js";
import { fill } from "../shared/words.js";

const panel = document.getElementById("reviews");

// --- Confidence as slider and number ------------------------------------------------------------------

function joinSlider() {
  const range = panel.querySelector("[data-confidence-slider]");
  const number = panel.querySelector("input[name=confidence]");
  if (!range || !number) return;
  const follow = () => (range.value = number.value === "" ? 50 : number.value);
  range.hidden = false;
  follow();
  range.addEventListener("input", function () {
    number.value = range.value;
    number.dispatchEvent(new Event("change", { bubbles: true }));
  });
  number.addEventListener("input", follow);
}

// --- Active time and the claim ------------------------------------------------------------------------

// Active: the page is visible, and the reader used pointer or keyboard in the last minute.
const IDLE_AFTER = 60_000; // milliseconds
const RENEW_EVERY = 60; // active seconds
let sinceRenewal = 0;
let lastInput = Date.now();
for (const input of ["pointermove", "pointerdown", "keydown", "wheel", "touchmove"]) {
  document.addEventListener(input, () => (lastInput = Date.now()), { passive: true, capture: true });
}
window.setInterval(function () {
  const count = document.querySelector("[data-active-seconds]");
  const isActive = document.visibilityState === "visible" && Date.now() - lastInput < IDLE_AFTER;
  if (count && isActive) count.value = Number(count.value) + 1;
  if (isActive && ++sinceRenewal >= RENEW_EVERY) renewClaim();
}, 1000);

// The claim on the film is renewed while its reader is active; otherwise it expires.
function renewClaim() {
  sinceRenewal = 0;
  const holder = document.querySelector("[data-holds]");
  if (holder) window.htmx.ajax("POST", holder.dataset.holds, { values: { keep: 1 }, swap: "none", source: holder });
}

document.body.addEventListener("claim-lost", function (event) {
  document.querySelector("[data-holds]")?.removeAttribute("data-holds");
  const sentence = document.querySelector("[data-words-taken]")?.dataset.wordsTaken ?? "{reader}";
  showMessage(fill(sentence, { reader: event.detail.reader }));
});

// --- Keys ---------------------------------------------------------------------------------------------

// j and k open the next and the previous film of the worklist.
document.addEventListener("keydown", function (event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
  const link = ["j", "k"].includes(event.key) && document.querySelector(`#reviews a[data-key="${event.key}"]`);
  if (link) link.click();
});

// Enter in the password signs; the browser would press the form's first button, which saves a draft.
document.addEventListener("keydown", function (event) {
  if (event.key !== "Enter" || !event.target.matches("form[data-review] input[name=password]")) return;
  event.preventDefault();
  event.target.closest("form").querySelector("button[value=sign]").click(); // a click tells htmx which button
});

// --- The panel ----------------------------------------------------------------------------------------

const touch = (event) => event.target.closest("form")?.setAttribute("data-touched", "");
const isTouched = () => Boolean(panel.querySelector("form[data-touched]"));

// With a result the form also asks whether the reader agrees. A form in use is not reloaded: saving it asks
// the question later, and the input stays.
function resultArrived() {
  const asks = panel.querySelector("input[name=agrees_with_ai]");
  if (!asks && !isTouched()) window.htmx.trigger(panel, "refresh");
}

// A signature reveals a result that was hidden.
function revealResult() {
  const hidden = document.querySelector("[data-withheld]");
  if (hidden) window.htmx.ajax("GET", hidden.dataset.withheld, { target: "#study-status", swap: "outerHTML" });
}

if (panel) {
  joinSlider();
  panel.addEventListener("input", touch);
  panel.addEventListener("change", touch);
  document.addEventListener("htmx:afterSettle", function (event) {
    if (event.target.closest("#reviews")) joinSlider();
  });
  document.body.addEventListener("study-finished", resultArrived);
  document.body.addEventListener("review-signed", revealResult);
  window.addEventListener("beforeunload", function (event) {
    if (isTouched()) event.preventDefault();
  });
}
