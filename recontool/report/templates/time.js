// One stretch of time for the whole page: two sliders, or a drag over the strip of the first screen.
const DAY = 86_400_000;
const brush = document.querySelector(".brush");
if (brush) {
  const [from, until] = ["from", "until"].map((name) => Number(brush.dataset[name]));
  const [low, high] = brush.querySelectorAll("input[type=range]");
  const steps = Number(low.max);
  const instant = (step) => from + ((until - from) * step) / steps;
  const step = (at) => Math.round(((at - from) / (until - from)) * steps);
  const notice = document.querySelector(".chosen");
  const says = notice.querySelector(".span");

  const put = (a, b) => {
    [low.value, high.value] = [a, b].map((value) => Math.min(Math.max(value, 0), steps));
    if (low.valueAsNumber >= high.valueAsNumber) {
      if (high.valueAsNumber < steps) high.value = low.valueAsNumber + 1;
      else low.value = steps - 1;
    }
    const whole = low.valueAsNumber === 0 && high.valueAsNumber === steps;
    const span = [low, high].map((input) => instant(input.valueAsNumber));
    [low, high].forEach((input, i) => {
      input.setAttribute("aria-valuetext", `${stamp(span[i])} UTC`);
      input.nextElementSibling.textContent = until - from > DAY ? stamp(span[i]).slice(5, 16) : clock(span[i]);
    });
    notice.hidden = whole;
    says.textContent = say("{start} to {end} UTC", { start: stamp(span[0]), end: stamp(span[1]) });
    root.style.setProperty("--chosen-left", `${(100 * low.valueAsNumber) / steps}%`);
    root.style.setProperty("--chosen-right", `${100 - (100 * high.valueAsNumber) / steps}%`);
    root.classList.toggle("stretched", !whole);
    choose(whole ? null : span);
    remember(whole ? "" : span.map(Math.round).join("~"));
  };
  // The choice stands in the address, so that a link to what is seen can be handed on.
  const remember = (value) => {
    const kept = location.hash.slice(1).split("&").filter((part) => part && !part.startsWith("t="));
    const next = [...kept.filter((part) => part.includes("=") || !value), ...(value ? [`t=${value}`] : [])].join("&");
    if (next !== location.hash.slice(1)) history.replaceState(null, "", next ? `#${next}` : location.pathname + location.search);
  };
  [low, high].forEach((input) => input.addEventListener("input", () => put(low.valueAsNumber, high.valueAsNumber)));
  document.querySelectorAll(".whole-time").forEach((button) => button.addEventListener("click", () => put(0, steps)));

  const area = document.querySelector(".lanes");
  let start = null;
  const at = (event) => {
    const box = area.querySelector(".strip").getBoundingClientRect();
    return Math.round((steps * (event.clientX - box.left)) / box.width);
  };
  area.addEventListener("pointerdown", (event) => {
    if (event.target.closest(".strip") && event.pointerType !== "touch") start = at(event);
  });
  addEventListener("pointermove", (event) => {
    if (start === null || Math.abs(at(event) - start) < steps / 200) return;
    event.preventDefault();
    put(Math.min(start, at(event)), Math.max(start, at(event)));
  });
  addEventListener("pointerup", () => { start = null; });

  const given = (parameters().get("t") || "").split("~").map(Number);
  put(...(given.length === 2 && given.every(Number.isFinite) ? given.map(step) : [0, steps]));
}
