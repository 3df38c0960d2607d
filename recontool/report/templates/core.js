// Shared by the parts below: elements, packed data, and the choice of a stretch of time.
const root = document.documentElement;
root.classList.add("scripted");

// Text goes in as text only: nothing a log wrote is ever parsed as markup.
const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};

// What the page says in its language; `words` holds nothing while that is English.
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
const say = (text, values = {}) => (words[text] ?? text).replace(/\{(\w+)\}/g, (_, name) => values[name]);

const unpack = async (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
};

const parameters = () => new Map(
  location.hash.slice(1).split("&").filter((part) => part.includes("=")).map((part) => {
    const at = part.indexOf("=");
    return [part.slice(0, at), part.slice(at + 1)];
  }),
);

// The chosen stretch in milliseconds, or null for the whole time; `changed` runs whenever it changes.
const chosen = { span: null, listeners: [] };
const choose = (span) => {
  chosen.span = span;
  chosen.listeners.forEach((changed) => changed(span));
};
const clock = (at) => new Date(at).toISOString().slice(11, 19);
const stamp = (at) => new Date(at).toISOString().slice(0, 19).replace("T", " ");

const draws = []; // run once, when all parts are ready
const returned = []; // run when the report is seen again
