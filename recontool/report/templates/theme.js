// Light, dark or as the system has it; the choice is kept where the browser allows it.
const themed = [];
const theme = (name) => {
  if (name === "system") delete root.dataset.theme;
  else root.dataset.theme = name;
  themed.forEach((repaint) => repaint());
};
for (const choice of document.querySelectorAll("input[name=theme]")) {
  choice.addEventListener("change", () => {
    theme(choice.value);
    try { localStorage.setItem("recontool-theme", choice.value); } catch { /* a page may be forbidden to keep anything */ }
  });
}
let kept = null;
try { kept = localStorage.getItem("recontool-theme"); } catch { /* likewise */ }
const known = kept && document.querySelector(`input[name=theme][value="${CSS.escape(kept)}"]`);
if (known) {
  known.checked = true;
  theme(kept);
}
