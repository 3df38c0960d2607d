// Last: open what the address names, draw, and unfold everything for paper.
addEventListener("hashchange", open);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
open().then(() => Promise.all(draws.map((draw) => draw()))).catch((problem) => {
  root.classList.remove("scripted", "live");
  console.error(`recontool: the charts could not be drawn (${problem}); pictures and tables show the same`);
});
