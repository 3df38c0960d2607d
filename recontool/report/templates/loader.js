"use strict";
// Draws the charts, keeps them in the colours of the page, and makes tables sortable. The page says all of it without.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");

  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const painted = (value) => {
    if (Array.isArray(value)) return value.map(painted);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, painted(item)]));
    }
    const named = typeof value === "string" && /^var\((--[a-z0-9-]+)\)$/.exec(value);
    return named ? colour(named[1]) : value;
  };

  const draw = (charts) => {
    for (const box of document.querySelectorAll("[data-chart]")) {
      const chart = painted(charts[box.dataset.chart]);
      if (chart.layout.xaxis.type === "date") {
        // As many ticks as stand side by side: a phone gets few, none of them turned.
        const room = box.clientWidth - chart.layout.margin.l - chart.layout.margin.r;
        chart.layout.xaxis.nticks = Math.max(2, Math.floor(room / 60));
        chart.layout.xaxis.tickangle = 0;
      }
      chart.layout.dragmode = matchMedia("(pointer: fine)").matches ? "zoom" : false;
      Plotly.react(box, chart.data, chart.layout, { displayModeBar: false, responsive: true, displaylogo: false });
    }
  };

  const unpack = async (text) => {
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };

  const charts = async () => {
    const data = document.getElementById("charts");
    if (!data) return;
    const script = document.createElement("script");
    script.textContent = await unpack(document.getElementById("bundle").textContent);
    document.head.append(script);
    const figures = JSON.parse(data.textContent);
    draw(figures);
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
      matchMedia(query).addEventListener("change", () => draw(figures));
    }
    root.classList.add("drawn");
  };

  const key = (row, index) => {
    const cell = row.cells[index];
    return cell.dataset.sort === undefined ? cell.textContent.trim() : Number(cell.dataset.sort);
  };
  const order = (a, b) => {
    if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
    return typeof a === "number" ? -1 : 1;
  };
  const sortable = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        const rows = [...table.tBodies[0].rows];
        table.tBodies[0].append(...rows.sort((a, b) => sign * order(key(a, index), key(b, index))));
      });
    });
  };
  document.querySelectorAll("table").forEach((table) => {
    if (table.tBodies[0].rows.length > 1) sortable(table);
  });

  // A folded table opens when a link points into it, and everything opens for paper.
  const open = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const fold = target && target.closest("details:not([open])");
    if (fold) {
      fold.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", open);
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
  open();

  charts().catch((problem) => {
    root.classList.remove("scripted");
    console.error(`recontool: the charts could not be drawn (${problem}); the tables hold the same numbers`);
  });
})();
