// Names of the files in a ZIP archive, numbered as the server numbers them (diagnosis/intake/archives.py).

const END_RECORD = 0x06054b50; // "PK\5\6", the end of central directory record
const END_SIZE = 22;
const LONGEST_END = END_SIZE + 0xffff; // with the longest comment
const ENTRY_SIZE = 46; // a central directory entry without its name, extra field and comment

// Returns { 1: name, 2: name, … }; {} when the archive cannot be read. Names and numbers stay in this browser.
export async function zipNames(file) {
  try {
    return numbered(namesIn(await centralDirectory(file)));
  } catch {
    return {}; // the films go without names, and the server reports what is wrong with the archive
  }
}

async function centralDirectory(file) {
  const tail = await bytes(file, Math.max(0, file.size - LONGEST_END), file.size);
  let end = tail.byteLength - END_SIZE;
  while (tail.getUint32(end, true) !== END_RECORD) end -= 1; // a RangeError below 0: no ZIP
  const [size, start] = [tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
  return bytes(file, start, start + size);
}

async function bytes(file, start, stop) {
  return new DataView(await file.slice(start, stop).arrayBuffer());
}

function namesIn(directory) {
  const names = [];
  for (let at = 0; at + ENTRY_SIZE <= directory.byteLength;) {
    const lengths = [28, 30, 32].map((offset) => directory.getUint16(at + offset, true)); // name, extra, comment
    names.push(new TextDecoder().decode(new Uint8Array(directory.buffer, at + ENTRY_SIZE, lengths[0])));
    at += ENTRY_SIZE + lengths[0] + lengths[1] + lengths[2];
  }
  return names;
}

function numbered(names) {
  return Object.fromEntries(names.filter(isCounted).map((name, index) => [index + 1, name]));
}

// Folders and what operating systems add are not counted.
function isCounted(name) {
  const parts = name.split(/[\\/]/);
  const last = parts[parts.length - 1];
  return last !== "" && !last.startsWith(".") && last !== "Thumbs.db" && !parts.includes("__MACOSX");
}
