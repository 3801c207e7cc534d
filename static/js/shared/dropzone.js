// Takes files and folders that are dropped anywhere on the page.

// Marks `zone` while something is dragged over the page; calls `take` with the files that were dropped.
export function acceptDrops(zone, take) {
  const mark = (on) => zone.classList.toggle("pw-dropzone--over", on);
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, function (event) {
      event.preventDefault();
      mark(true);
    });
  }
  document.addEventListener("dragleave", function (event) {
    if (event.relatedTarget === null) mark(false);
  });
  document.addEventListener("drop", async function (event) {
    event.preventDefault();
    mark(false);
    take(await droppedFiles(event.dataTransfer));
  });
}

async function droppedFiles(transfer) {
  // Both lists are empty after the first await, so they are copied before it.
  const files = [...transfer.files];
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = [];
  for (const entry of entries) found.push(...(await filesOf(entry)));
  return found.length ? found : files;
}

// The files of an entry: of a folder at any depth.
async function filesOf(entry) {
  if (entry.isFile) return new Promise((resolve) => entry.file((file) => resolve([file]), () => resolve([])));
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const part = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (part.length === 0) return found;
    for (const child of part) found.push(...(await filesOf(child)));
  }
}
