// Offers only the sites of the chosen project; the server checks the choice in any case.

export function offerSitesOfProject() {
  const project = document.querySelector("select[name='project']");
  const site = document.querySelector("select[name='site']");
  if (!project || !site) return;

  function offer() {
    const chosen = project.selectedOptions[0]?.textContent.trim();
    for (const group of site.querySelectorAll("optgroup")) {
      group.hidden = group.disabled = group.label.trim() !== chosen;
    }
    if (site.selectedOptions[0]?.parentElement.hidden) site.value = "";
  }

  project.addEventListener("change", offer);
  offer();
}
