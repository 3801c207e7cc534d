// How films are shown goes along to the next film, for as long as the browser's session lasts.
(function () {
  "use strict";

  const KEY = "pneumoweb-viewer";

  function remembered() {
    try {
      return JSON.parse(window.sessionStorage.getItem(KEY)) || {};
    } catch {
      return {};
    }
  }

  function remember(change) {
    try {
      window.sessionStorage.setItem(KEY, JSON.stringify({ ...remembered(), ...change }));
    } catch {
      // kept for this page only
    }
  }

  function forget() {
    try {
      window.sessionStorage.removeItem(KEY);
    } catch {
      // there was nothing to forget
    }
  }

  window.pneumoweb = Object.assign(window.pneumoweb || {}, { viewerMemory: { remembered, remember, forget } });
})();
