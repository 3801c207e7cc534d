// What was dropped: the files themselves, and those of folders, however deep.
"use strict";

window.droppedFiles = async function (event) {
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

  // Both lists are gone after the first pause, so they are taken at once.
  const files = [...event.dataTransfer.files];
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
  const found = [];
  for (const entry of entries) found.push(...(await filesOf(entry)));
  return found.length ? found : files;
};
