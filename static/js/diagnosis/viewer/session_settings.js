// How films are shown is kept for the next film, until the browser's session ends.

const KEY = "pneumoweb-viewer";

export function remembered() {
  try {
    return JSON.parse(window.sessionStorage.getItem(KEY)) || {};
  } catch {
    return {};
  }
}

export function remember(change) {
  try {
    window.sessionStorage.setItem(KEY, JSON.stringify({ ...remembered(), ...change }));
  } catch {
    // kept for this page only
  }
}

export function forget() {
  try {
    window.sessionStorage.removeItem(KEY);
  } catch {
    // storage is forbidden, so nothing was kept
  }
}
