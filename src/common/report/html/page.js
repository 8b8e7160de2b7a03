// SPDX-License-Identifier: Apache-2.0
// The page reads without this; it adds the value under the pointer, and a flame graph that zooms and searches.
"use strict";
const follow = (chart) => {
  const svg = chart.querySelector("svg"), told = chart.querySelector(".told"), usual = told.textContent;
  const points = [...svg.querySelectorAll("circle,.b,.c")];
  let at = -1;
  const show = (i) => {
    if (at >= 0) points[at].classList.remove("on");
    at = i;
    told.textContent = at < 0 ? usual : points[at].textContent;
    if (at >= 0) points[at].classList.add("on");
  };
  const nearest = (x) => points.reduce((best, point, i) => {
    const box = point.getBoundingClientRect(), off = Math.abs(box.left + box.width / 2 - x);
    return off < best.off ? {i, off} : best;
  }, {i: -1, off: Infinity}).i;
  const cells = svg.querySelector(".c");
  svg.addEventListener("pointermove", (e) => show(cells ? points.indexOf(e.target) : nearest(e.clientX)));
  svg.addEventListener("pointerleave", () => show(-1));
  svg.addEventListener("blur", () => show(-1));
  svg.addEventListener("keydown", (e) => {
    const last = points.length - 1;
    const to = {ArrowRight: Math.min(at + 1, last), ArrowLeft: at < 0 ? last : Math.max(at - 1, 0),
      Home: 0, End: last, Escape: -1}[e.key];
    if (to === undefined) return;
    e.preventDefault();
    show(to);
  });
};
document.querySelectorAll(".chart").forEach(follow);
const kindle = (section) => {
  const flame = section.querySelector(".flame"), form = section.querySelector(".tools");
  const search = form.querySelector("input");
  let zoomed = false;
  const note = () => form.classList.toggle("used", zoomed || search.value !== "");
  const found = form.querySelector("span"), left = 14, width = 1172, letter = 7.3, padding = 5;
  const frames = [...flame.querySelectorAll("g")].map((g) => {
    const rect = g.querySelector("rect"), title = g.querySelector("title").textContent;
    return {g, rect, x: +rect.getAttribute("x"), w: +rect.getAttribute("width"), y: +rect.getAttribute("y"),
      name: title.split("\n")[0], title};
  });
  const label = (frame, x, w) => {
    let text = frame.g.querySelector("text");
    const room = Math.floor((w - 2 * padding) / letter);
    if (!text) {
      text = document.createElementNS("http://www.w3.org/2000/svg", "text");
      text.setAttribute("y", frame.y + 13);
      text.setAttribute("aria-hidden", "true");
      frame.g.append(text);
    }
    text.setAttribute("x", x + padding);
    text.textContent = room < 4 ? "" : frame.name.length > room ? frame.name.slice(0, room - 1) + "\u2026" : frame.name;
  };
  const zoom = (to) => {
    zoomed = to !== null;
    note();
    const scale = width / (to ? to.w : width), from = to ? to.x : left;
    for (const frame of frames) {
      const above = to && frame.y < to.y && frame.x <= to.x + 0.5 && frame.x + frame.w >= to.x + to.w - 0.5;
      const x = above ? left : left + (frame.x - from) * scale, w = above ? width : frame.w * scale;
      const shown = above || !to || (frame.y >= to.y && x >= left - 1 && x + w <= left + width + 1);
      frame.g.style.display = shown ? "" : "none";
      if (!shown) continue;
      frame.rect.setAttribute("x", x);
      frame.rect.setAttribute("width", w);
      label(frame, x, w);
    }
  };
  const look = () => {
    const word = search.value.toLowerCase();
    note();
    let hits = 0;
    for (const frame of frames) {
      const hit = word !== "" && frame.title.toLowerCase().includes(word);
      hits += hit;
      frame.g.classList.toggle("hit", hit);
      frame.g.classList.toggle("miss", word !== "" && !hit);
    }
    found.textContent = word === "" ? "" : hits === 1 ? "1 frame" : hits + " frames";
  };
  for (const frame of frames) {
    frame.g.setAttribute("tabindex", "0");
    frame.g.setAttribute("role", "button");
    frame.g.querySelector("text")?.setAttribute("aria-hidden", "true");
    frame.g.addEventListener("click", () => zoom(frame));
    frame.g.addEventListener("keydown", (e) => {
      if (e.key === "Enter" || e.key === " ") zoom(frame);
      else if (e.key === "Escape") zoom(null);
      else return;
      e.preventDefault();
    });
  }
  form.hidden = false;
  form.addEventListener("submit", (e) => e.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { look(); zoom(null); }));
  search.addEventListener("input", look);
};
document.querySelectorAll("#stacks").forEach(kindle);
