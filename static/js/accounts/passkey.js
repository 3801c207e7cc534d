// Passkeys: a form marked data-passkey asks the browser for a credential and sends it.

async function ask(kind) {
  const options = JSON.parse(document.getElementById("passkey-options").textContent);
  return kind === "create"
    ? window.webauthnJSON.create(options.creation_options)
    : window.webauthnJSON.get(options.request_options);
}

const form = document.querySelector("form[data-passkey]");
const error = document.querySelector("[data-passkey-error]");

if (form && window.webauthnJSON) {
  form.addEventListener("submit", async function (event) {
    event.preventDefault();
    error.hidden = true;
    try {
      const credential = await ask(form.dataset.passkey);
      form.querySelector("input[name=credential]").value = JSON.stringify(credential);
      form.submit();
    } catch {
      error.textContent = error.dataset.passkeyError;
      error.hidden = false;
    }
  });
}
