// Turns what is shown into what came, in place, so that focus, scroll, selection, order and filters of the reader stay.
const ELEMENT = Node.ELEMENT_NODE;
const KEPT = new Set(["open", "hidden"]); // of folds and rows: the reader's, not the sender's
const ours = (node) => node.nodeType === ELEMENT && node.classList.contains("tools");
// A table's tools stand before it, and go where it goes.
const withTools = (node) => {
  const before = node.nodeType === ELEMENT && node.classList.contains("scroll") ? node.previousElementSibling : null;
  return before && ours(before) ? [before, node] : [node];
};
const keyOfNode = (node) => {
  if (node.nodeType !== ELEMENT) return "";
  return node.id || (node.classList.contains("scroll") && node.getAttribute("aria-label")) || "";
};

const dress = (old, fresh) => {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !KEPT.has(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
};

const morph = (old, fresh) => {
  if (old.nodeType !== ELEMENT) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  dress(old, fresh);
  if (old.tagName === "THEAD") return; // a caption has its columns; the reader's sorting stands in the headings
  const shown = [...old.childNodes].filter((node) => !ours(node));
  const keyed = new Map(shown.map((node) => [keyOfNode(node), node]).filter(([key]) => key));
  const plain = shown.filter((node) => !keyOfNode(node));
  const next = [...fresh.childNodes].map((node) => {
    const key = keyOfNode(node);
    const place = key ? -1 : plain.findIndex((one) => one.nodeName === node.nodeName);
    const found = key ? keyed.get(key) : plain[place];
    if (!found || found.nodeName !== node.nodeName) return document.importNode(node, true);
    if (!key) plain.splice(0, place + 1);
    if (!found.isEqualNode(node)) morph(found, node);
    return found;
  });
  const staying = new Set(next);
  shown.filter((node) => !staying.has(node)).flatMap(withTools).forEach((node) => node.remove());
  // Rows the reader has sorted stay where they are; new ones are put in order with the rest.
  const sorted = old.tagName === "TBODY" && old.parentNode.querySelector("thead [aria-sort]");
  let cursor = sorted ? null : old.firstChild;
  for (const node of next.flatMap(withTools)) {
    if (sorted && node.parentNode === old) continue;
    if (node === cursor) cursor = cursor.nextSibling;
    else old.insertBefore(node, cursor);
  }
};

// The sender escapes all text; a parsed document runs nothing, and the page's policy allows no script but this one.
const show = (id, html) => {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById(id);
  const old = document.getElementById(id);
  morph(old, fresh);
  for (const table of old.querySelectorAll("table")) {
    if (equipped.has(table)) equipped.get(table)();
    else equip(table);
  }
};
