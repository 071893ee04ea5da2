"use strict";
// Everything that the page shows comes from the data block and is set as text, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const canvas = byId("canvas");
  const picture = canvas.querySelector("svg");
  const drawing = picture.querySelector("g");
  const steps = data.steps;
  const nodes = new Map();
  for (const element of picture.querySelectorAll(".node")) nodes.set(element.dataset.key, element);
  for (const title of picture.querySelectorAll(".node > title")) title.remove();
  const SVG = "http://www.w3.org/2000/svg";
  const forwardSteps = steps.filter((step) => step.phase === "forward").length;
  const sources = [...nodes.keys()].filter((key) => ["leaf", "constant", "sources"].includes(data.nodes[key].kind));

  // ---- zoom and pan: the view box follows the size of the canvas ----
  const view = { x: 0, y: 0, scale: 1 };
  const size = picture.viewBox.baseVal;
  const full = { width: size.width, height: size.height };
  const shift = drawing.transform.baseVal.consolidate().matrix;

  function show() {
    const width = canvas.clientWidth / view.scale;
    const height = canvas.clientHeight / view.scale;
    picture.setAttribute("viewBox", `${view.x} ${view.y} ${width} ${height}`);
  }
  function fit() {
    const scale = Math.min(canvas.clientWidth / full.width, canvas.clientHeight / full.height);
    view.scale = Math.min(1.6, scale);
    view.x = (full.width - canvas.clientWidth / view.scale) / 2;
    view.y = (full.height - canvas.clientHeight / view.scale) / 2;
    show();
  }
  function zoom(factor, clientX, clientY) {
    const box = canvas.getBoundingClientRect();
    const px = clientX === undefined ? box.width / 2 : clientX - box.left;
    const py = clientY === undefined ? box.height / 2 : clientY - box.top;
    const scale = Math.min(6, Math.max(0.02, view.scale * factor));
    view.x += px / view.scale - px / scale;
    view.y += py / view.scale - py / scale;
    view.scale = scale;
    show();
  }
  function reveal(key, always) {
    const [x, y, width, height] = data.nodes[key].box;
    const left = (x + shift.e - view.x) * view.scale;
    const top = (y + shift.f - view.y) * view.scale;
    const margin = 30;
    const inside = left > margin && top > margin && left + width * view.scale < canvas.clientWidth - margin &&
      top + height * view.scale < canvas.clientHeight - margin;
    if (inside && !always) return;
    view.x = x + shift.e + width / 2 - canvas.clientWidth / view.scale / 2;
    view.y = y + shift.f + height / 2 - canvas.clientHeight / view.scale / 2;
    show();
  }
  const pointers = new Map();
  let moved = 0;
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0016)), event.clientX, event.clientY);
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pointers.set(event.pointerId, event);
    moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    moved += Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY);
    if (moved > 4 && !canvas.classList.contains("moving")) {
      canvas.classList.add("moving");
      canvas.setPointerCapture(event.pointerId);
    }
    if (pointers.size === 2) {
      const [other] = [...pointers.values()].filter((pointer) => pointer.pointerId !== event.pointerId);
      const apart = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
      zoom(apart(event, other) / Math.max(1, apart(before, other)),
        (event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2);
    } else if (moved > 4) {
      view.x -= (event.clientX - before.clientX) / view.scale;
      view.y -= (event.clientY - before.clientY) / view.scale;
      show();
    }
    pointers.set(event.pointerId, event);
  });
  const release = (event) => {
    pointers.delete(event.pointerId);
    canvas.classList.remove("moving");
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);

  // ---- steps ----
  let current = 0;
  let timer = null;
  const flows = document.createElementNS(SVG, "g");
  drawing.append(flows);

  function flow(line, back) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", line.d);
    path.setAttribute("class", back ? "flow back" : "flow");
    flows.append(path);
  }
  function element(tag, style, text) {
    const made = document.createElement(tag);
    if (style) made.className = style;
    made.textContent = text;
    return made;
  }
  function tell(step) {
    byId("title").textContent = step.title;
    byId("lines").replaceChildren(...step.lines.map(([style, text]) => element("p", style, text)));
    byId("source").hidden = !step.excerpt;
    if (!step.excerpt) return;
    const { where, first, lines, marked } = step.excerpt;
    byId("place").textContent = where;
    byId("code").replaceChildren(...lines.map((line, index) => {
      const number = first + index;
      const row = element("span", number >= marked[0] && number <= marked[1] ? "marked" : "", "");
      row.append(element("i", "", String(number)), line || " ");
      return row;
    }));
  }
  function go(index) {
    if (!steps.length) return;
    current = Math.max(0, Math.min(steps.length - 1, index));
    const step = steps[current];
    const back = step.phase === "backward";
    const reached = new Set(sources);
    const told = new Set();
    steps.forEach((one, number) => {
      if (one.phase === "forward" && number <= current) reached.add(one.key);
      if (one.phase === "backward" && number <= current) {
        told.add(one.key);
        one.reached.forEach((key) => told.add(key));
      }
    });
    const touched = new Set(back ? step.reached : []);
    for (const [key, node] of nodes) {
      node.classList.toggle("ahead", !reached.has(key));
      node.classList.toggle("told", told.has(key));
      node.classList.toggle("current", key === step.key);
      node.classList.toggle("back", back);
      node.classList.toggle("touched", touched.has(key));
    }
    flows.replaceChildren();
    for (const line of data.lines) {
      if (line.to === step.key && (!back || touched.has(line.from))) flow(line, back);
    }
    document.body.classList.toggle("backward", back);
    const count = back ? steps.length - forwardSteps : forwardSteps;
    const number = back ? current - forwardSteps + 1 : current + 1;
    byId("phase").textContent = back ? "backward: gradients" : "forward: evaluation";
    byId("where").textContent = `${step.phase} ${number} of ${count}`;
    byId("position").value = current;
    byId("first").disabled = byId("back").disabled = current === 0;
    byId("last").disabled = byId("next").disabled = current === steps.length - 1;
    tell(step);
    reveal(step.key, false);
  }
  function pause() {
    clearInterval(timer);
    timer = null;
    byId("play").textContent = "▶ play";
    byId("play").setAttribute("aria-label", "play");
  }
  function play() {
    if (timer) return pause();
    if (current === steps.length - 1) go(0);
    timer = setInterval(() => (current < steps.length - 1 ? go(current + 1) : pause()), 1500);
    byId("play").textContent = "❚❚ pause";
    byId("play").setAttribute("aria-label", "pause");
  }
  const by = (index) => { pause(); go(index); };
  byId("position").max = Math.max(0, steps.length - 1);
  byId("position").addEventListener("input", (event) => by(Number(event.target.value)));
  byId("first").onclick = () => by(0);
  byId("back").onclick = () => by(current - 1);
  byId("next").onclick = () => by(current + 1);
  byId("last").onclick = () => by(steps.length - 1);
  byId("play").onclick = play;
  byId("smaller").onclick = () => zoom(1 / 1.25);
  byId("larger").onclick = () => zoom(1.25);
  byId("fit").onclick = fit;
  byId("theme").onclick = theme;

  function theme() {
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  }
  picture.addEventListener("click", (event) => {
    const node = event.target.closest(".node");
    if (!node || moved > 4) return;
    const phase = steps[current].phase;
    const own = steps.findIndex((step) => step.key === node.dataset.key && step.phase === phase);
    if (own >= 0) by(own);
  });

  // ---- what a node is, beside the pointer ----
  const tip = byId("tip");
  picture.addEventListener("pointermove", (event) => {
    const node = event.target.closest(".node");
    tip.hidden = !node || canvas.classList.contains("moving");
    if (tip.hidden) return;
    tip.textContent = data.nodes[node.dataset.key].tip.join("\n");
    const right = event.clientX + 16 + tip.offsetWidth > innerWidth;
    tip.style.left = `${Math.max(4, right ? event.clientX - 12 - tip.offsetWidth : event.clientX + 16)}px`;
    tip.style.top = `${Math.max(4, Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8))}px`;
  });
  picture.addEventListener("pointerleave", () => { tip.hidden = true; });

  // ---- search ----
  let matches = [];
  let match = -1;
  function search() {
    const wanted = byId("search").value.trim().toLowerCase();
    matches = wanted ? [...nodes.keys()].filter((key) =>
      data.nodes[key].search.toLowerCase().includes(wanted)) : [];
    for (const [key, node] of nodes) node.classList.toggle("found", matches.includes(key));
    match = -1;
    byId("found").textContent = wanted ? String(matches.length) : "";
    if (matches.length) nextMatch(1);
  }
  function nextMatch(direction) {
    if (!matches.length) return;
    match = (match + direction + matches.length) % matches.length;
    byId("found").textContent = `${match + 1}/${matches.length}`;
    reveal(matches[match], true);
  }
  byId("search").addEventListener("input", search);
  byId("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") nextMatch(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") { event.target.value = ""; search(); canvas.focus(); }
  });

  // ---- keyboard ----
  const keys = {
    ArrowRight: () => by(current + 1), ArrowLeft: () => by(current - 1), ArrowDown: () => by(current + 1),
    ArrowUp: () => by(current - 1), Home: () => by(0), End: () => by(steps.length - 1), " ": play,
    "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(1 / 1.25), 0: fit, t: theme,
    "/": () => byId("search").focus(),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input[type=search]")) return;
    if (event.key === " " && event.target.matches("button")) return;
    if (event.target.matches("input[type=range]") && event.key.startsWith("Arrow")) return;
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  addEventListener("resize", show);

  fit();
  if (view.scale < 0.85 && nodes.size) {  // too small to read: follow the steps instead
    view.scale = 1;
    reveal(steps.length ? steps[0].key : nodes.keys().next().value, true);
  }
  go(0);
  if (!steps.length) byId("title").textContent = "There is nothing to step through: no operation was recorded.";
})();
