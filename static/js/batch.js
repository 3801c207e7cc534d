// Sends a batch: a ZIP in one piece, or films one by one, three at a time; goes on after an interruption.
// Names of files never leave this browser: they are kept for the tab and shown beside their numbers.
(function () {
  "use strict";
  const PARALLEL = 3;
  const live = document.getElementById("batch-live");
  const form = document.getElementById("batch-form");

  // --- Names beside the numbers ---------------------------------------------------------------------
  const keyOf = (url) => `pneumoweb-names-${url}`;
  let namesKey = keyOf(window.location.pathname);
  let names = read();

  function read() {
    try {
      return JSON.parse(window.sessionStorage.getItem(namesKey)) || {};
    } catch {
      return {};
    }
  }

  function keepName(position, name) {
    names[position] = name;
    keepNames();
  }

  function keepNames() {
    try {
      window.sessionStorage.setItem(namesKey, JSON.stringify(names));
    } catch {
      // No room or not allowed: the numbers remain.
    }
  }

  function showNames() {
    for (const place of document.querySelectorAll("[data-name-of]")) {
      place.textContent = names[place.dataset.nameOf] || "";
    }
  }

  document.addEventListener("htmx:afterSettle", showNames);
  showNames();
  if (!form) return;

  // --- What is chosen -------------------------------------------------------------------------------
  const words = (name, values = {}) =>
    Object.entries(values).reduce((text, [key, value]) => text.replaceAll(`{${key}}`, value), form.dataset[`words${name}`]);
  const said = form.querySelector("[data-said]");
  const bar = form.querySelector("[data-progress]");
  const submit = form.querySelector("[data-submit]");
  const again = form.querySelector("[data-again]");
  const zone = form.querySelector("[data-dropzone]");
  const archivePicker = form.querySelector("input[name='archive']");
  const maxBytes = Number(form.dataset.maxBytes);
  const maxFiles = Number(form.dataset.maxFiles);
  const maxArchiveBytes = Number(form.dataset.maxArchiveBytes);
  let chosen = [];
  let queue = [];
  let lost = [];
  let total = 0;
  let sent = 0;
  let sending = 0;
  let addresses = form.dataset.films ? { films: form.dataset.films, close: form.dataset.close, status: form.dataset.status } : null;

  for (const element of form.querySelectorAll("[data-with-script]")) element.hidden = false;
  if (archivePicker) archivePicker.classList.add("visually-hidden");

  const isArchive = (file) => /\.zip$/i.test(file.name);
  const say = (text) => { said.textContent = text; };

  function choose(files) {
    chosen = [...files].filter((file) => !file.name.startsWith("."));
    const fitting = chosen.filter((file) => isArchive(file) || (file.size > 0 && file.size <= maxBytes));
    const leftOut = chosen.length - fitting.length;
    chosen = fitting;
    const text = chosen.length === 1 ? words("One") : words("Chosen", { n: chosen.length });
    say(leftOut ? `${text} ${words("LeftOut", { n: leftOut })}` : text);
  }

  function complaint() {
    const archives = chosen.filter(isArchive);
    if (chosen.length === 0) return words("None");
    if (archives.length > 1 || (archives.length === 1 && (chosen.length > 1 || !archivePicker))) return words("Mixed");
    if (archives.length === 1 && archives[0].size > maxArchiveBytes) return words("ArchiveLarge");
    return chosen.length > maxFiles ? words("Many") : "";
  }

  async function drop(event) {
    event.preventDefault();
    zone.classList.remove("pw-dropzone--over");
    if (submit.disabled) return;
    choose(await window.droppedFiles(event));
  }

  for (const picker of form.querySelectorAll("[data-pick], input[name='archive']")) {
    picker.addEventListener("change", function () { choose(picker.files); });
  }
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

  // --- Sending --------------------------------------------------------------------------------------
  function post(url, body, onProgress) {
    return new Promise(function (resolve) {
      const request = new XMLHttpRequest();
      if (onProgress) request.upload.addEventListener("progress", onProgress);
      request.addEventListener("load", function () {
        try {
          resolve({ status: request.status, body: JSON.parse(request.responseText) });
        } catch {
          resolve({ status: request.status || 500, body: { message: words("Broken") } });
        }
      });
      for (const failure of ["error", "abort", "timeout"]) {
        request.addEventListener(failure, () => resolve({ status: 0, body: { message: words("Broken") } }));
      }
      request.open("POST", url);
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
      request.send(body);
    });
  }

  function busy(on) {
    submit.disabled = on;
    for (const input of form.querySelectorAll("input[type='file'], select")) input.disabled = on;
  }

  // The code that the file's name begins with, as the server takes it from names in an archive.
  const codeIn = (name) => name.replace(/\.[^.]*$/, "").split("_")[0].trim().slice(0, 40);
  const codesFromNames = () => "codesFromNames" in form.dataset || Boolean(form.elements.codes_from_names?.checked);

  function beginning() {
    const body = new FormData();
    body.append("project", form.elements.project.value);
    if (form.elements.site) body.append("site", form.elements.site.value);
    if (codesFromNames()) body.append("codes_from_names", "on");
    return body;
  }

  // The archive's list of contents, read here as the server reads it: the same files get the same numbers.
  async function namesIn(file) {
    const found = {};
    try {
      const tail = new DataView(await file.slice(Math.max(0, file.size - 65557)).arrayBuffer());
      let end = tail.byteLength - 22;
      while (tail.getUint32(end, true) !== 0x06054b50) end -= 1;
      const start = tail.getUint32(end + 16, true);
      const list = new DataView(await file.slice(start, start + tail.getUint32(end + 12, true)).arrayBuffer());
      let position = 0;
      for (let at = 0; at + 46 <= list.byteLength;) {
        const length = list.getUint16(at + 28, true);
        const name = new TextDecoder().decode(new Uint8Array(list.buffer, at + 46, length));
        const parts = name.split(/[\\/]/);
        const last = parts[parts.length - 1];
        if (last !== "" && !last.startsWith(".") && last !== "Thumbs.db" && !parts.includes("__MACOSX")) found[++position] = name;
        at += 46 + length + list.getUint16(at + 30, true) + list.getUint16(at + 32, true);
      }
    } catch {
      return {}; // not read here: the numbers remain, and the server says what is wrong
    }
    return found;
  }

  async function sendArchive(file) {
    const found = await namesIn(file);
    const body = beginning();
    body.append("archive", file, "films.zip"); // the file's own name stays here
    bar.hidden = false;
    say(words("Archive"));
    const answer = await post(form.action, body, function (event) {
      if (!event.lengthComputable) return;
      bar.value = (100 * event.loaded) / event.total;
      if (event.loaded === event.total) say(words("Checking"));
    });
    if (answer.status === 201) {
      sending = 0;
      namesKey = keyOf(answer.body.url);
      names = found;
      keepNames();
      window.location.assign(answer.body.url);
      return;
    }
    bar.hidden = true;
    busy(false);
    say(answer.body.message);
  }

  async function begin() {
    const body = beginning();
    body.append("expected", chosen.length);
    const answer = await post(form.action, body);
    if (answer.status !== 201) {
      busy(false);
      say(answer.body.message);
      return false;
    }
    addresses = answer.body;
    namesKey = keyOf(answer.body.url);
    names = {};
    // From now on a reload shows this batch, where it can be gone on with.
    window.history.replaceState(null, "", answer.body.url);
    return true;
  }

  function watch() {
    if (live && !document.getElementById("batch-status")) window.htmx.ajax("GET", addresses.status, { target: live, swap: "innerHTML" });
  }

  function pump() {
    while (sending < PARALLEL && queue.length) send(queue.shift());
    if (sending === 0) settled();
  }

  async function send(file) {
    sending += 1;
    const body = new FormData();
    body.append("file", file, "film"); // the file's own name stays here
    if (codesFromNames()) body.append("subject_code", codeIn(file.name));
    const answer = await post(addresses.films, body);
    sending -= 1;
    if (answer.body.position) {
      keepName(answer.body.position, file.webkitRelativePath || file.name);
      sent += 1;
    } else {
      lost.push(file);
      say(answer.body.message);
    }
    bar.value = (100 * sent) / total;
    if (answer.body.position) say(words("Sending", { done: sent, n: total }));
    watch();
    pump();
  }

  async function settled() {
    if (lost.length) {
      say(`${words("Lost", { n: lost.length })} ${said.textContent}`);
      again.hidden = false;
      again.focus();
      return;
    }
    await post(addresses.close, new FormData());
    say(words("Sent"));
    bar.hidden = true;
    document.querySelector(".pw-batchclose")?.remove();
  }

  async function start(files) {
    busy(true);
    if (!addresses && !(await begin())) return;
    [queue, lost, total, sent] = [[...files], [], files.length, 0];
    bar.hidden = false;
    bar.value = 0;
    say(words("Sending", { done: 0, n: total }));
    pump();
  }

  again.addEventListener("click", function () {
    again.hidden = true;
    queue = lost;
    lost = [];
    pump();
  });

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    const wrong = complaint();
    if (wrong) {
      say(wrong);
      return;
    }
    if (isArchive(chosen[0])) {
      busy(true);
      sending = 1;
      sendArchive(chosen[0]);
    } else {
      start(chosen);
    }
  });

  window.addEventListener("beforeunload", function (event) {
    if (sending > 0 && addresses) event.preventDefault();
  });
})();
