// Uploads films, three at a time, each with its own progress and outcome. The page works without scripts, too.
import { showMessage } from "../shared/announce.js";
import { acceptDrops } from "../shared/dropzone.js";
import { post } from "../shared/upload.js";
import { wordsOf } from "../shared/words.js";
import { offerSitesOfProject } from "./project_sites.js";

const PARALLEL = 3;
const MEGABYTE = 1024 * 1024;
const form = document.getElementById("upload-form");
const picker = form.querySelector("input[name='file']");
const list = form.querySelector("[data-rows]");
const summary = form.querySelector("[data-summary]");
const button = form.querySelector("[data-submit]");
const buttonText = form.querySelector("[data-submit-text]");
const words = wordsOf(form);
const rows = []; // {file | url, element, state: ready | waiting | sending | uploaded | duplicate | refused | lost}

const count = (...states) => rows.filter((row) => states.includes(row.state)).length;
const several = (name, n) => words(`${name}${n === 1 ? "One" : "Many"}`, { n });
const part = (row, name) => row.element.querySelector(`[data-${name}]`);

function setState(row, state, message) {
  row.state = state;
  row.element.className = `pw-upload pw-upload--${state}`;
  part(row, "message").textContent = message;
  part(row, "progress").hidden = state !== "sending";
  part(row, "retry").hidden = state !== "lost";
  part(row, "remove").hidden = !["ready", "refused", "lost"].includes(state);
  refresh();
}

function refresh() {
  const ready = count("ready");
  const busy = count("waiting", "sending");
  buttonText.textContent = ready ? several("Upload", ready) : words("Upload");
  button.disabled = busy > 0 && ready === 0;
  const sentences = busy ? [several("Busy", busy)] : [];
  for (const state of ["Uploaded", "Duplicate", "Refused", "Lost"]) {
    const n = count(state.toLowerCase());
    if (n) sentences.push(words(state, { n }));
  }
  summary.textContent = sentences.join(", ");
}

// --- Rows -------------------------------------------------------------------------------------------

function addRow(entry, name) {
  const element = document.getElementById("row-template").content.firstElementChild.cloneNode(true);
  const row = { ...entry, element, state: "ready" };
  part(row, "name").textContent = name;
  part(row, "progress").setAttribute("aria-label", words("Progress", { name }));
  part(row, "retry").addEventListener("click", () => {
    enqueue(row);
    fillSlots();
  });
  part(row, "remove").setAttribute("aria-label", words("Remove", { name }));
  part(row, "remove").addEventListener("click", () => removeRow(row));
  rows.push(row);
  list.append(element);
  return row;
}

function removeRow(row) {
  rows.splice(rows.indexOf(row), 1);
  row.element.remove();
  picker.focus();
  refresh();
}

function addFile(file) {
  const row = addRow({ file }, file.name);
  const maxBytes = Number(form.dataset.maxBytes);
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  const size = (file.size / MEGABYTE).toLocaleString(document.documentElement.lang, digits);
  if (file.size === 0) setState(row, "refused", words("Empty"));
  else if (file.size > maxBytes) setState(row, "refused", words("Large", { size, most: maxBytes / MEGABYTE }));
  else setState(row, "ready", words("Ready", { size }));
}

function addFiles(files) {
  const maxFiles = Number(form.dataset.maxFiles);
  const wanted = [...files].filter((file) => !file.name.startsWith("."));
  for (const file of wanted.slice(0, Math.max(0, maxFiles - count("ready")))) addFile(file);
  if (wanted.length > maxFiles) showMessage(words("TooMany", { n: maxFiles }));
}

// --- Sending ----------------------------------------------------------------------------------------

function enqueue(row) {
  // Project and code are taken now: a later change of the form must not change films that are being sent.
  row.project = form.elements.project.value;
  row.subjectCode = form.elements.subject_code.value;
  row.site = form.elements.site ? form.elements.site.value : "";
  setState(row, "waiting", words("Waiting"));
}

function fillSlots() {
  for (const row of rows) {
    if (count("sending") >= PARALLEL) return;
    if (row.state === "waiting") send(row);
  }
}

function bodyOf(row) {
  const body = new FormData();
  body.append("project", row.project);
  body.append("subject_code", row.subjectCode);
  body.append("site", row.site);
  if (row.file) body.append("file", row.file, "film"); // the file's own name stays here
  else body.append("url", row.url);
  return body;
}

async function send(row) {
  const progress = part(row, "progress");
  progress.value = 0;
  setState(row, "sending", words("Sending"));
  const answer = await post(form.action, bodyOf(row), {
    token: form.elements.csrfmiddlewaretoken.value,
    onProgress(percent) {
      progress.value = percent;
      if (percent === 100) part(row, "message").textContent = words("Checking");
    },
  });
  showOutcome(row, answer);
  fillSlots();
}

function showOutcome(row, { status, body }) {
  if (status === 0) return setState(row, "lost", words("Broken"));
  if (!body) return setState(row, "lost", words("NoAnswer"));
  if (status === 401 || status >= 500) return setState(row, "lost", body.message);
  setState(row, body.outcome, body.message);
  if (body.url) showFilm(row, body);
  return undefined;
}

function showFilm(row, { url, reference, state_html: stateHtml }) {
  const link = part(row, "link");
  link.href = url;
  link.textContent = words("Open", { name: reference });
  link.hidden = false;
  part(row, "state").innerHTML = stateHtml;
  poll();
}

// The poller stops when nothing is unfinished; each upload starts a new one.
function poll() {
  for (const old of document.querySelectorAll(".pw-poller")) old.remove();
  form.after(document.getElementById("poller-template").content.firstElementChild.cloneNode(true));
  window.htmx.process(form.nextElementSibling);
}

// --- The form ---------------------------------------------------------------------------------------

for (const element of form.querySelectorAll("[data-with-script]")) element.hidden = false;
for (const element of form.querySelectorAll("[data-without-script]")) element.hidden = true;
picker.classList.add("visually-hidden"); // still reached by keyboard; its label looks like a button
offerSitesOfProject();
acceptDrops(form.querySelector("[data-dropzone]"), addFiles);

picker.addEventListener("change", function () {
  addFiles(picker.files);
  picker.value = "";
});

form.addEventListener("submit", function (event) {
  event.preventDefault();
  const url = form.elements.url.value.trim();
  if (url && !form.elements.url.disabled) {
    addRow({ url }, url);
    form.elements.url.value = "";
  }
  if (count("ready") === 0) {
    summary.textContent = words("None");
    picker.focus();
    return;
  }
  for (const row of rows.filter((one) => one.state === "ready")) enqueue(row);
  fillSlots();
});

window.addEventListener("beforeunload", function (event) {
  if (count("waiting", "sending") > 0) event.preventDefault();
});
