// Draws the charts in the colours of the page and over the chosen time. The tables say the same without them.
const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
const painted = (value) => {
  if (Array.isArray(value)) return value.map(painted);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, painted(item)]));
  }
  const named = typeof value === "string" && /^var\((--[a-z0-9-]+)\)$/.exec(value);
  return named ? colour(named[1]) : value;
};

const draw = (figures) => {
  for (const box of document.querySelectorAll("[data-chart]")) {
    if (!box.clientWidth) continue; // drawn when its view is shown
    const chart = painted(figures[box.dataset.chart]);
    const axis = chart.layout.xaxis;
    if (axis.type === "date") {
      // As many ticks as stand side by side: a phone gets few, none of them turned.
      const room = box.clientWidth - chart.layout.margin.l - chart.layout.margin.r;
      axis.nticks = Math.max(2, Math.floor(room / 60));
      axis.tickangle = 0;
      if (chosen.span) axis.range = chosen.span.map(stamp);
    }
    // A chart keeps the width it was drawn with; for paper it is drawn anew.
    if (root.classList.contains("paper") !== Boolean(box.paper)) Plotly.purge(box);
    box.paper = root.classList.contains("paper");
    if (box.paper) chart.layout.width = box.clientWidth;
    chart.layout.dragmode = matchMedia("(pointer: fine)").matches ? "zoom" : false;
    Plotly.react(box, chart.data, chart.layout, { displayModeBar: false, responsive: true, displaylogo: false });
  }
};

// A chart as it is shown now, as a file that any browser and editor opens.
const saveButton = (box) => {
  const title = box.closest("figure").querySelector("h3").textContent;
  const button = element("button", { type: "button", "aria-label": say("Save picture: {title}", { title }) }, say("Save picture"));
  button.addEventListener("click", async () => {
    const size = { width: box.clientWidth, height: box.clientHeight };
    const address = await Plotly.toImage(box, { format: "svg", ...size });
    element("a", { href: address, download: `${box.dataset.chart}.svg` }).click();
  });
  return element("div", { class: "tools" }, button);
};

draws.push(async () => {
  const data = document.getElementById("charts");
  if (!data) return;
  const script = document.createElement("script");
  script.textContent = await unpack(document.getElementById("bundle").textContent);
  document.head.append(script);
  const figures = JSON.parse(await unpack(data.textContent));
  const again = () => draw(figures);
  root.classList.add("live");
  again();
  for (const box of document.querySelectorAll("[data-chart]")) box.after(saveButton(box));
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", again);
  // Paper is laid out after this event, without asking the charts again: give them its width beforehand.
  for (const [event, paper] of [["beforeprint", true], ["afterprint", false]]) {
    addEventListener(event, () => {
      root.classList.toggle("paper", paper);
      again();
    });
  }
  themed.push(again);
  chosen.listeners.push(again);
  returned.push(again);
  root.classList.add("drawn");
});
