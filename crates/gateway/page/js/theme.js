// Runs before the first paint: the theme chosen here before wins over the system's.
{
  let chosen = null;
  try {
    chosen = localStorage.getItem("walrus.theme");
  } catch {
    // Storage may be forbidden; then the system's theme is used.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
