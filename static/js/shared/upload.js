// Sends a form by POST and reports progress, which fetch() cannot do for uploads.

// Resolves to { status, body }: status 0 when the connection broke, body null when the answer is not JSON.
export function post(url, body, { token, onProgress }) {
  return new Promise(function (resolve) {
    const request = new XMLHttpRequest();
    if (onProgress) {
      request.upload.addEventListener("progress", function (event) {
        if (event.lengthComputable) onProgress((100 * event.loaded) / event.total);
      });
    }
    request.addEventListener("load", () => resolve({ status: request.status, body: parsed(request.responseText) }));
    for (const failure of ["error", "abort", "timeout"]) {
      request.addEventListener(failure, () => resolve({ status: 0, body: null }));
    }
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", token);
    request.send(body);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
