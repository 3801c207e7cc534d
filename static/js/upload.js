// Uploads films one by one, three at a time, each with its own progress and outcome. The page works without it.
(function () {
  "use strict";
  const PARALLEL = 3;
  const form = document.getElementById("upload-form");
  const picker = form.querySelector("input[name='file']");
  const zone = form.querySelector("[data-dropzone]");
  const list = form.querySelector("[data-rows]");
  const summary = form.querySelector("[data-summary]");
  const button = form.querySelector("[data-submit]");
  const buttonText = form.querySelector("[data-submit-text]");
  const maxBytes = Number(form.dataset.maxBytes);
  const maxFiles = Number(form.dataset.maxFiles);
  const rows = []; // {file | url, element, state: ready | waiting | sending | uploaded | duplicate | refused | lost}

  for (const element of form.querySelectorAll("[data-with-script]")) element.hidden = false;
  for (const element of form.querySelectorAll("[data-without-script]")) element.hidden = true;
  picker.classList.add("visually-hidden"); // still reached by keyboard; its label looks like a button

  const count = (...states) => rows.filter((row) => states.includes(row.state)).length;
  // Sentences come from the page, in its language: data-words-… with {n}, {name}, {size} where something varies.
  const say = (name, values = {}) => form.dataset[`words${name}`].replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
  const several = (name, n) => say(`${name}${n === 1 ? "One" : "Many"}`, { n });
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
    buttonText.textContent = ready ? several("Upload", ready) : say("Upload");
    button.disabled = busy > 0 && ready === 0;
    const said = [];
    if (busy) said.push(several("Busy", busy));
    if (count("uploaded")) said.push(say("Uploaded", { n: count("uploaded") }));
    if (count("duplicate")) said.push(say("Duplicate", { n: count("duplicate") }));
    if (count("refused")) said.push(say("Refused", { n: count("refused") }));
    if (count("lost")) said.push(say("Lost", { n: count("lost") }));
    summary.textContent = said.join(", ");
  }

  function addRow(entry, name) {
    const element = document.getElementById("row-template").content.firstElementChild.cloneNode(true);
    const row = { ...entry, element, state: "ready" };
    part(row, "name").textContent = name;
    part(row, "progress").setAttribute("aria-label", say("Progress", { name }));
    part(row, "retry").addEventListener("click", () => { enqueue(row); pump(); });
    part(row, "remove").setAttribute("aria-label", say("Remove", { name }));
    part(row, "remove").addEventListener("click", function () {
      rows.splice(rows.indexOf(row), 1);
      element.remove();
      picker.focus();
      refresh();
    });
    rows.push(row);
    list.append(element);
    return row;
  }

  function addFile(file) {
    const row = addRow({ file }, file.name);
    const size = (file.size / 1048576).toLocaleString(document.documentElement.lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
    if (file.size === 0) setState(row, "refused", say("Empty"));
    else if (file.size > maxBytes) setState(row, "refused", say("Large", { size, most: maxBytes / 1048576 }));
    else setState(row, "ready", say("Ready", { size }));
  }

  function addFiles(files) {
    const wanted = [...files].filter((file) => !file.name.startsWith("."));
    for (const file of wanted.slice(0, Math.max(0, maxFiles - count("ready")))) addFile(file);
    if (wanted.length > maxFiles) window.pneumoweb.say(say("TooMany", { n: maxFiles }));
  }

  function enqueue(row) {
    // Project and code are taken now: changing the form later must not change films that are on their way.
    row.project = form.elements.project.value;
    row.subjectCode = form.elements.subject_code.value;
    row.site = form.elements.site ? form.elements.site.value : "";
    setState(row, "waiting", say("Waiting"));
  }

  function pump() {
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

  function send(row) {
    const request = new XMLHttpRequest();
    const progress = part(row, "progress");
    progress.value = 0;
    setState(row, "sending", say("Sending"));
    request.upload.addEventListener("progress", function (event) {
      if (!event.lengthComputable) return;
      progress.value = (100 * event.loaded) / event.total;
      if (event.loaded === event.total) part(row, "message").textContent = say("Checking");
    });
    request.addEventListener("load", () => finish(row, request));
    for (const failure of ["error", "abort", "timeout"]) {
      request.addEventListener(failure, () => lose(row, say("Broken")));
    }
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
    request.send(bodyOf(row));
  }

  function lose(row, message) {
    setState(row, "lost", message);
    pump();
  }

  function finish(row, request) {
    let answer;
    try {
      answer = JSON.parse(request.responseText);
    } catch {
      return lose(row, say("NoAnswer"));
    }
    if (request.status === 401 || request.status >= 500) return lose(row, answer.message);
    setState(row, answer.outcome, answer.message);
    if (answer.url) {
      const link = part(row, "link");
      link.href = answer.url;
      link.textContent = say("Open", { name: answer.reference });
      link.hidden = false;
      part(row, "state").innerHTML = answer.state_html;
      watch();
    }
    pump();
  }

  // The poller stops by itself when nothing is unfinished; a fresh one takes its place after each upload.
  function watch() {
    for (const old of document.querySelectorAll(".pw-poller")) old.remove();
    form.after(document.getElementById("poller-template").content.firstElementChild.cloneNode(true));
    window.htmx.process(form.nextElementSibling);
  }

  async function drop(event) {
    event.preventDefault();
    zone.classList.remove("pw-dropzone--over");
    addFiles(await window.droppedFiles(event));
  }

  picker.addEventListener("change", function () { addFiles(picker.files); picker.value = ""; });
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, function (event) {
      event.preventDefault();
      zone.classList.add("pw-dropzone--over");
    });
  }
  document.addEventListener("dragleave", function (event) {
    if (event.relatedTarget === null) zone.classList.remove("pw-dropzone--over");
  });
  document.addEventListener("drop", drop);

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    const url = form.elements.url.value.trim();
    if (url && !form.elements.url.disabled) {
      addRow({ url }, url);
      form.elements.url.value = "";
    }
    if (count("ready") === 0) {
      summary.textContent = say("None");
      picker.focus();
      return;
    }
    for (const row of rows.filter((one) => one.state === "ready")) enqueue(row);
    pump();
  });

  window.addEventListener("beforeunload", function (event) {
    if (count("waiting", "sending") > 0) event.preventDefault();
  });
})();
