// The view of one worker or one outage, opened by its address: `#w=worker-7` or `#w=worker-7&o=3`.
const view = document.getElementById("drill");
let details = null;
const detailsOf = async (anchor) => {
  const packed = document.getElementById("details");
  if (packed && !details) details = JSON.parse(await unpack(packed.textContent));
  return details ? { ...details.outages[anchor], all: details } : null;
};

const facts = (row) => {
  const heads = [...row.closest("table").tHead.rows[0].cells].map(textOf);
  const list = element("dl", { class: "facts" });
  [...row.cells].forEach((cell, i) => {
    if (i) list.append(element("div", {}, element("dt", {}, heads[i]), element("dd", {}, textOf(cell))));
  });
  return list;
};

const copied = (rows, caption) => {
  const source = rows[0].closest("table");
  const table = element("table", {}, element("caption", {}, caption));
  table.append(element("thead", {}, element("tr", {}, ...[...source.tHead.rows[0].cells].map((head) =>
    element("th", { scope: "col", class: head.className }, textOf(head))))), element("tbody"));
  for (const row of rows) {
    const twin = row.cloneNode(true);
    twin.removeAttribute("id");
    twin.hidden = false;
    table.tBodies[0].append(twin);
  }
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, table);
};

const stepsTable = (steps) => {
  const body = element("tbody", {}, ...steps.map(([name, time, took]) => element("tr", {},
    element("th", { scope: "row" }, name), element("td", { class: "time" }, time), element("td", { class: "number" }, took))));
  const heads = [[say("Step"), "text"], [say("At (UTC)"), "time"], [say("After the step before"), "number"]]
    .map(([text, kind]) => element("th", { scope: "col", class: kind }, text));
  const table = element("table", {}, element("caption", {}, say("The way back, step by step")),
    element("thead", {}, element("tr", {}, ...heads)), body);
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": say("Steps of the way back") }, table);
};

const rawLines = (file, places, found) => {
  const proofs = new Set(places.filter(([name]) => name === file).map(([, number]) => number));
  const near = (number) => [...proofs].some((proof) => Math.abs(proof - number) <= found.context);
  const list = element("ol");
  let last = null;
  for (const [first, texts] of found.files[file]) {
    texts.forEach((text, i) => {
      const number = first + i;
      if (!near(number)) return;
      if (last !== null && number > last + 1) {
        list.append(element("li", { class: "skipped" }, say("{n} lines not shown", { n: (number - last - 1).toLocaleString("en") })));
      }
      last = number;
      const line = element("li", proofs.has(number) ? { class: "proof" } : {}, element("span", { class: "at" }, `${number}`));
      if (proofs.has(number)) line.append(element("span", { class: "hidden" }, `${say("evidence:")} `));
      line.append(element("code", {}, text));
      list.append(line);
    });
  }
  const box = element("div", { class: "raw", tabindex: "0", role: "region", "aria-label": say("Raw lines of {file}", { file }) }, list);
  return element("section", {}, element("h3", {}, file), box);
};

const outageParts = async (anchor, row) => {
  const parts = [facts(row)];
  const found = await detailsOf(anchor);
  if (found?.steps?.length) parts.push(stepsTable(found.steps));
  const files = [...new Set((found?.places ?? []).map(([name]) => name))];
  if (files.length) {
    const text = say("Up to {n} raw lines before and after each line that proves it; those lines are marked.", { n: found.all.context });
    parts.push(element("p", { class: "note" }, text));
  } else {
    parts.push(element("p", { class: "empty" }, found?.all.note || say("No raw lines were kept for this outage.")));
  }
  return [...parts, ...files.map((file) => rawLines(file, found.places, found.all))];
};

const steer = (rows, row) => {
  const index = rows.indexOf(row);
  const links = [[say("Previous outage"), rows[index - 1]], [say("Next outage"), rows[index + 1]]].filter(([, other]) => other);
  return element("p", { class: "steer" }, ...links.map(([text, other]) => element("a", { href: `#${other.id}` }, text)));
};

const laneOf = (anchor) => {
  const strip = [...document.querySelectorAll("#timeline [data-lane]")].find((lane) => lane.dataset.lane === anchor);
  if (!strip) return [];
  const axis = document.querySelector("#timeline .ticks").cloneNode(true);
  const label = (text) => element("span", { class: "lane-label axis-name" }, text);
  return [element("div", { class: "lanes" }, label(say("state")), strip.querySelector("svg").cloneNode(true), label("UTC"), axis)];
};

const open = async () => {
  const [worker, number] = ["w", "o"].map((name) => parameters().get(name));
  if (worker === undefined) return close();
  const anchor = `w=${worker}`;
  const rows = [...document.querySelectorAll("#outages tr[data-worker]")].filter((row) => row.dataset.worker === anchor)
    .sort((a, b) => a.dataset.from - b.dataset.from);
  const self = document.getElementById(anchor);
  const row = number && document.getElementById(`${anchor}&o=${number}`);
  if (!self && !row) return close();
  let name = worker;
  try { name = decodeURIComponent(worker); } catch { /* shown as it stands */ }
  const title = element("h2", { id: "drill-title", tabindex: "-1" }, row ? say("{name}: outage {number}", { name, number }) : name);
  const back = element("p", { class: "steer" }, element("a", { href: row ? "#outages" : "#timeline" }, say("Back to the report")));
  if (row) back.append(element("a", { href: `#${anchor}` }, say("All of {name}", { name })));
  const here = location.hash;
  const parts = row ? await outageParts(`${anchor}&o=${number}`, row) : self ? [facts(self)] : [];
  if (location.hash !== here) return; // the reader has gone on meanwhile
  const list = !row && rows.length ? [copied(rows, say("Outages of {name} listed in this report", { name }))] : [];
  const none = !row && !rows.length ? [element("p", { class: "empty" }, say("No outage of this worker is listed."))] : [];
  view.replaceChildren(back, title, ...laneOf(anchor), ...(row ? [steer(rows, row)] : []), ...parts, ...list, ...none);
  view.hidden = false;
  root.classList.add("drilled");
  title.focus();
  scrollTo(0, 0);
};
const close = () => {
  const was = root.classList.contains("drilled");
  root.classList.remove("drilled");
  view.hidden = true;
  view.replaceChildren();
  if (was) returned.forEach((again) => again());
  // A folded table opens when a link points into it.
  const target = location.hash && document.getElementById(location.hash.slice(1));
  const fold = target && target.closest("details:not([open])");
  if (fold) fold.open = true;
  if (target && (fold || was)) target.scrollIntoView();
};
// Names beside a strip lead to their worker as well; for the keyboard the tables have links of full size.
document.querySelectorAll("main [data-lane]").forEach((strip) => {
  strip.previousElementSibling.addEventListener("click", () => { location.hash = strip.dataset.lane; });
});
