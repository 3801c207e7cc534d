// The pages of batches: sends a ZIP in one piece or films one by one, and resumes after an interruption.
import { acceptDrops } from "../shared/dropzone.js";
import { post } from "../shared/upload.js";
import { wordsOf } from "../shared/words.js";
import { keepName, keepNamesOf, nameFilesOf, showFileNames } from "./file_names.js";
import { offerSitesOfProject } from "./project_sites.js";
import { zipNames } from "./zip_names.js";

const PARALLEL = 3;
const isArchive = (file) => /\.zip$/i.test(file.name);
// The part of the file's name that the server takes as the subject's code from names in an archive.
const codeIn = (name) => name.replace(/\.[^.]*$/, "").split("_")[0].trim().slice(0, 40);

class BatchForm {
  constructor(form) {
    this.form = form;
    this.words = wordsOf(form);
    this.output = form.querySelector("[data-said]");
    this.bar = form.querySelector("[data-progress]");
    this.submit = form.querySelector("[data-submit]");
    this.again = form.querySelector("[data-again]");
    this.archivePicker = form.querySelector("input[name='archive']");
    this.chosen = [];
    this.queue = [];
    this.lost = [];
    this.total = this.sent = this.sending = 0;
    const { films, close, status } = form.dataset;
    this.addresses = films ? { films, close, status } : null; // null until the batch has begun
    this.showScriptedParts();
    this.listen();
  }

  showScriptedParts() {
    for (const element of this.form.querySelectorAll("[data-with-script]")) element.hidden = false;
    this.archivePicker?.classList.add("visually-hidden");
  }

  listen() {
    for (const picker of this.form.querySelectorAll("[data-pick], input[name='archive']")) {
      picker.addEventListener("change", () => this.choose(picker.files));
    }
    acceptDrops(this.form.querySelector("[data-dropzone]"), (files) => {
      if (!this.submit.disabled) this.choose(files);
    });
    this.again.addEventListener("click", () => this.sendLostAgain());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submitted();
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.sending > 0 && this.addresses) event.preventDefault();
    });
  }

  say(text) {
    this.output.textContent = text;
  }

  // --- What is chosen -------------------------------------------------------------------------------

  choose(files) {
    const maxBytes = Number(this.form.dataset.maxBytes);
    const visible = [...files].filter((file) => !file.name.startsWith("."));
    this.chosen = visible.filter((file) => isArchive(file) || (file.size > 0 && file.size <= maxBytes));
    const leftOut = visible.length - this.chosen.length;
    const text = this.chosen.length === 1 ? this.words("One") : this.words("Chosen", { n: this.chosen.length });
    this.say(leftOut ? `${text} ${this.words("LeftOut", { n: leftOut })}` : text);
  }

  // What is wrong with the choice; "" when nothing is.
  complaint() {
    const { maxFiles, maxArchiveBytes } = this.form.dataset;
    const count = this.chosen.length;
    const archives = this.chosen.filter(isArchive);
    if (count === 0) return this.words("None");
    if (archives.length > 1 || (archives.length === 1 && (count > 1 || !this.archivePicker))) return this.words("Mixed");
    if (archives.length === 1 && archives[0].size > Number(maxArchiveBytes)) return this.words("ArchiveLarge");
    return count > Number(maxFiles) ? this.words("Many") : "";
  }

  submitted() {
    const complaint = this.complaint();
    if (complaint) this.say(complaint);
    else if (isArchive(this.chosen[0])) this.sendArchive(this.chosen[0]);
    else this.sendFilms(this.chosen);
  }

  // --- Sending --------------------------------------------------------------------------------------

  async post(url, body, onProgress) {
    const token = this.form.elements.csrfmiddlewaretoken.value;
    const answer = await post(url, body, { token, onProgress });
    return { status: answer.status, body: answer.body ?? { message: this.words("Broken") } };
  }

  setBusy(on) {
    this.submit.disabled = on;
    for (const input of this.form.querySelectorAll("input[type='file'], select")) input.disabled = on;
  }

  get codesFromNames() {
    return "codesFromNames" in this.form.dataset || Boolean(this.form.elements.codes_from_names?.checked);
  }

  newBatch() {
    const body = new FormData();
    body.append("project", this.form.elements.project.value);
    if (this.form.elements.site) body.append("site", this.form.elements.site.value);
    if (this.codesFromNames) body.append("codes_from_names", "on");
    return body;
  }

  refused(answer) {
    this.setBusy(false);
    this.say(answer.body.message);
  }

  async sendArchive(file) {
    this.setBusy(true);
    this.sending = 1;
    const names = await zipNames(file);
    const body = this.newBatch();
    body.append("archive", file, "films.zip"); // the file's own name stays here
    this.bar.hidden = false;
    this.say(this.words("Archive"));
    const answer = await this.post(this.form.action, body, (percent) => {
      this.bar.value = percent;
      if (percent === 100) this.say(this.words("Checking"));
    });
    if (answer.status !== 201) {
      this.bar.hidden = true;
      this.refused(answer);
      return;
    }
    this.sending = 0;
    keepNamesOf(answer.body.url, names);
    window.location.assign(answer.body.url);
  }

  async sendFilms(files) {
    this.setBusy(true);
    if (!this.addresses && !(await this.begin())) return;
    [this.queue, this.lost, this.total, this.sent] = [[...files], [], files.length, 0];
    this.bar.hidden = false;
    this.bar.value = 0;
    this.say(this.words("Sending", { done: 0, n: this.total }));
    this.fillSlots();
  }

  async begin() {
    const body = this.newBatch();
    body.append("expected", this.chosen.length);
    const answer = await this.post(this.form.action, body);
    if (answer.status !== 201) {
      this.refused(answer);
      return false;
    }
    this.addresses = answer.body;
    nameFilesOf(answer.body.url);
    // A reload now shows this batch, where sending can be resumed.
    window.history.replaceState(null, "", answer.body.url);
    return true;
  }

  fillSlots() {
    while (this.sending < PARALLEL && this.queue.length) this.sendFilm(this.queue.shift());
    if (this.sending === 0) this.finish();
  }

  async sendFilm(file) {
    this.sending += 1;
    const body = new FormData();
    body.append("file", file, "film"); // the file's own name stays here
    if (this.codesFromNames) body.append("subject_code", codeIn(file.name));
    const answer = await this.post(this.addresses.films, body);
    this.sending -= 1;
    if (answer.body.position) {
      keepName(answer.body.position, file.webkitRelativePath || file.name);
      this.sent += 1;
      this.say(this.words("Sending", { done: this.sent, n: this.total }));
    } else {
      this.lost.push(file);
      this.say(answer.body.message);
    }
    this.bar.value = (100 * this.sent) / this.total;
    this.showStatus();
    this.fillSlots();
  }

  // The table of the batch; once it is there, it refreshes itself.
  showStatus() {
    const place = document.getElementById("batch-live");
    if (!place || document.getElementById("batch-status")) return;
    window.htmx.ajax("GET", this.addresses.status, { target: place, swap: "innerHTML" });
  }

  async finish() {
    if (this.lost.length) {
      this.say(`${this.words("Lost", { n: this.lost.length })} ${this.output.textContent}`);
      this.again.hidden = false;
      this.again.focus();
      return;
    }
    await this.post(this.addresses.close, new FormData());
    this.say(this.words("Sent"));
    this.bar.hidden = true;
    document.querySelector(".pw-batchclose")?.remove();
  }

  sendLostAgain() {
    this.again.hidden = true;
    [this.queue, this.lost] = [this.lost, []];
    this.fillSlots();
  }
}

offerSitesOfProject();
showFileNames();
const form = document.getElementById("batch-form");
if (form) new BatchForm(form);
