// Runs before anything is painted, so that a page in the dark does not flash white. "system" has no attribute.
const chosen = localStorage.getItem("roost.theme");
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
