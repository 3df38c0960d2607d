// Signing in, staying up to date, and saying so when it is not. The key is sent once and kept nowhere.
const at = (id) => document.getElementById(id);
const TOKEN = "recontool-session";
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30_000;
const tab = {
  get: () => { try { return sessionStorage.getItem(TOKEN); } catch { return null; } },
  set: (token) => { try { sessionStorage.setItem(TOKEN, token); } catch { /* then a reload asks for the key again */ } },
  drop: () => { try { sessionStorage.removeItem(TOKEN); } catch { /* nothing was kept */ } },
};
let session = tab.get();
let socket = null;
let seen = null; // the coordinator's time of the latest update
let wait = FIRST_WAIT;
let again = 0;
let deadline = 0;
let silence = LONGEST_WAIT;
let fired = null; // how many alerts fired at the latest update

const utc = (time) => `${time.slice(11, 19)} UTC`;

const askKey = (why) => {
  at("login").hidden = false;
  at("frame").classList.add("alone");
  for (const id of ["live", "views", "state", "leave"]) at(id).hidden = true;
  at("link").replaceChildren();
  at("refused").textContent = why;
  at("ask").querySelector("button").disabled = false;
  document.title = "recontool dashboard";
};

const dial = (hello) => {
  clearTimeout(again);
  socket?.close();
  const opened = socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/dashboard/live`);
  let refused = false;
  opened.binaryType = "arraybuffer";
  opened.addEventListener("open", () => {
    opened.send(JSON.stringify(hello));
    watch();
  });
  opened.addEventListener("message", (event) => {
    if (opened !== socket) return;
    const told = JSON.parse(new TextDecoder().decode(event.data));
    watch();
    if (told.kind === "refused") {
      refused = true;
      session = null;
      tab.drop();
      askKey(told.reason);
      if (hello.key !== undefined) at("key").select();
    } else if (told.kind === "welcome") {
      welcome(told);
    } else {
      update(told);
      opened.send(JSON.stringify({ seen: told.number }));
    }
  });
  opened.addEventListener("close", () => {
    if (opened === socket && !refused) lost();
  });
  watch();
};

const welcome = (told) => {
  if (told.page !== root.dataset.page) location.reload(); // the coordinator was updated, this page was not
  session = told.token;
  tab.set(session);
  silence = told.silence_s * 1000;
  at("key").value = "";
};

const update = (told) => {
  const first = at("live").hidden;
  for (const [id, html] of Object.entries(told.parts)) show(id, html);
  if (first) {
    at("login").hidden = true;
    at("frame").classList.remove("alone");
    for (const id of ["live", "views", "state", "leave"]) at(id).hidden = false;
    at("refused").textContent = "";
    if (document.activeElement === document.body || at("login").contains(document.activeElement)) at("main").focus({ preventScroll: true });
    reveal();
  }
  const news = at("link").firstChild ? [`Up to date again since ${utc(told.at)}.`] : [];
  seen = told.at;
  wait = FIRST_WAIT;
  at("link").replaceChildren();
  at("live").classList.remove("old");
  at("state").className = "state with-scripts";
  at("state").textContent = `Live, ${utc(seen)}`;
  const firing = Object.values(told.firing).reduce((sum, number) => sum + number, 0);
  document.title = firing ? `(${firing}) recontool dashboard` : "recontool dashboard";
  if (fired !== null && firing !== fired) news.push(`${firing} ${firing === 1 ? "alert fires" : "alerts fire"} now.`);
  fired = firing;
  if (news.length) at("announce").textContent = news.join(" ");
};

// No update for too long is as good as a closed connection: a frozen peer closes nothing.
const watch = () => {
  clearTimeout(deadline);
  const mine = socket;
  deadline = setTimeout(() => {
    if (mine !== socket) return;
    socket = null;
    mine.close();
    lost();
  }, silence);
};

const lost = () => {
  clearTimeout(deadline);
  socket = null;
  if (!session) {
    askKey("The coordinator cannot be reached. Is it running?");
    return;
  }
  // Half of the wait is drawn, so that a restart does not meet every page at once.
  const pause = wait * (0.5 + Math.random() / 2);
  wait = Math.min(wait * 2, LONGEST_WAIT);
  stale();
  again = setTimeout(() => dial({ token: session }), pause);
};

const stale = () => {
  at("state").className = "state stale with-scripts";
  at("state").textContent = seen ? `Stale since ${utc(seen)}` : "No connection";
  at("live").classList.add("old");
  if (at("link").firstChild) return;
  const now = element("button", { type: "button", class: "button" }, "Try now");
  now.addEventListener("click", () => dial({ token: session }));
  at("link").replaceChildren(element("p", { class: "banner" },
    element("strong", {}, seen ? `Stale since ${utc(seen)}` : "The coordinator cannot be reached"),
    element("span", {}, seen ? "The coordinator cannot be reached; what is shown was true then. Trying again." : "Trying again."), now));
};

// A link into a fold opens it.
const reveal = () => {
  const aim = at(location.hash.slice(1));
  const fold = aim?.closest("details");
  if (fold) fold.open = true;
  if (aim) aim.scrollIntoView();
};

at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  at("refused").textContent = "";
  at("ask").querySelector("button").disabled = true;
  dial({ key: at("key").value });
});
at("leave").addEventListener("click", () => {
  tab.drop();
  location.reload();
});
addEventListener("hashchange", reveal);
addEventListener("online", () => { if (!socket && session) dial({ token: session }); });
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
if (session) dial({ token: session });
else askKey("");
