// Runs before the first paint, so that a chosen theme or language does not flash in late. Must not be a module.
(() => {
  const kept = (name) => {
    try {
      return JSON.parse(localStorage.getItem("inkseal." + name));
    } catch {
      return null;
    }
  };
  const root = document.documentElement;
  const theme = kept("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  const language = kept("language");
  if (language === "zh") root.lang = "zh-CN";
})();
