// Tables that sort, filter by text and by the chosen time, and copy what they show.
const SEVERAL = 1;
const MANY = 5;

const keyOf = (row, index) => {
  const cell = row.cells[index];
  const text = cell.dataset.sort ?? cell.textContent.trim();
  return cell.classList.contains("number") && text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
};
const order = (a, b) => {
  if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
  return typeof a === "number" ? -1 : 1;
};
// Returns what puts the rows in the reader's order again, e.g. after some were replaced.
const sortable = (table) => {
  const heads = [...table.tHead.rows[0].cells];
  let arrange = () => {};
  heads.forEach((head, index) => {
    const button = element("button", { type: "button" }, ...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      arrange = () => {
        const rows = [...table.tBodies[0].rows];
        const sorted = [...rows].sort((a, b) => sign * order(keyOf(a, index), keyOf(b, index)));
        if (sorted.some((row, place) => row !== rows[place])) table.tBodies[0].append(...sorted);
      };
      arrange();
    });
  });
  return () => arrange();
};

const inTime = (row, span) =>
  !span || row.dataset.from === undefined || (Number(row.dataset.from) <= span[1] && Number(row.dataset.until) >= span[0]);

const textOf = (cell) => cell.textContent.trim();
// A cell that a spreadsheet would take for a formula is marked as text.
const quoted = (text) => `"${(/^[=+@\t\r-]/.test(text) && !/^-?[\d.,]+$/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
const asCsv = (heads, rows) => [heads, ...rows].map((cells) => cells.map(quoted).join(",")).join("\r\n") + "\r\n";
const asJson = (heads, rows) =>
  JSON.stringify(rows.map((cells) => Object.fromEntries(cells.map((text, i) => [heads[i], text]))), null, 2) + "\n";

const toClipboard = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No clipboard for pages opened from a disk, or no permission: the old way, by a selection.
    const area = element("textarea", { "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error(say("the browser forbids copying"));
  }
};

const equipped = new WeakMap(); // table -> what to do when its rows have changed
const equip = (table) => {
  if (table.tBodies[0].rows.length <= SEVERAL) return;
  const arrange = sortable(table);
  const name = textOf(table.caption);
  const status = element("span", { class: "rows", role: "status" });
  const search = element("input", { type: "search", placeholder: say("Filter rows"), "aria-label": say("Filter: {name}", { name }) });
  let said = "";
  const apply = () => {
    const rows = [...table.tBodies[0].rows];
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const row of rows) {
      const text = words.length ? row.textContent.toLowerCase() : "";
      row.hidden = !(inTime(row, chosen.span) && words.every((word) => text.includes(word)));
      left += row.hidden ? 0 : 1;
    }
    const counted = left === rows.length ? "" : say("{n} of {all} rows", { n: left, all: rows.length });
    if (counted !== said) status.textContent = said = counted;
  };
  const copy = (kind, write) => {
    const button = element("button", { type: "button", "aria-label": say("Copy as {kind}: {name}", { kind, name }) }, say("Copy {kind}", { kind }));
    button.addEventListener("click", async () => {
      const heads = [...table.tHead.rows[0].cells].map(textOf);
      const seen = [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) => [...row.cells].map(textOf));
      try {
        await toClipboard(write(heads, seen));
        const values = { n: seen.length, kind };
        status.textContent = seen.length === 1 ? say("Copied {n} row as {kind}", values) : say("Copied {n} rows as {kind}", values);
      } catch (problem) {
        status.textContent = say("Not copied: {problem}", { problem: problem.message });
      }
    });
    return button;
  };
  search.addEventListener("input", apply);
  if (document.querySelector(".brush")) chosen.listeners.push(apply);
  const tools = element("div", { class: "tools" });
  const renew = () => {
    search.hidden = table.tBodies[0].rows.length <= MANY && search.value === "";
    arrange();
    apply();
  };
  equipped.set(table, renew);
  search.hidden = table.tBodies[0].rows.length <= MANY;
  tools.append(search, status, copy("CSV", asCsv), copy("JSON", asJson));
  table.closest(".scroll").before(tools);
};
document.querySelectorAll("main table").forEach(equip);
