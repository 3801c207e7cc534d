// Names of the files of a batch, kept for this tab and shown beside their numbers; the server never gets them.

const keyOf = (url) => `pneumoweb-names-${url}`;
let key = keyOf(window.location.pathname);
let names = stored();

function stored() {
  try {
    return JSON.parse(window.sessionStorage.getItem(key)) || {};
  } catch {
    return {};
  }
}

function store() {
  try {
    window.sessionStorage.setItem(key, JSON.stringify(names));
  } catch {
    // storage is full or forbidden: the numbers remain
  }
}

// Starts the names of another batch.
export function nameFilesOf(url, known = {}) {
  key = keyOf(url);
  names = known;
}

export function keepNamesOf(url, known) {
  nameFilesOf(url, known);
  store();
}

export function keepName(position, name) {
  names[position] = name;
  store();
}

function showNames() {
  for (const place of document.querySelectorAll("[data-name-of]")) {
    place.textContent = names[place.dataset.nameOf] || "";
  }
}

export function showFileNames() {
  document.addEventListener("htmx:afterSettle", showNames);
  showNames();
}
