// SPDX-License-Identifier: Apache-2.0
// The page of a run under way fetches itself anew and takes over the parts that have changed. What somebody reads
// with the pointer, the keyboard or a selection stays until they leave it; what they have opened stays open.
"use strict";
const EVERY_MS = 2000, ANSWER_MS = 20000, PATIENCE = 5;
const main = document.querySelector("main"), ended = document.querySelector("#ended");
let missed = 0, asked = false;
const READ = ".chart svg:hover, .chart svg:focus, .flame:hover, .flame :focus, .tools input:focus, .tools.used";
const isRead = (part) => part.querySelector(READ) !== null ||
  (getSelection().type === "Range" && part.contains(getSelection().anchorNode));
const FOCUSED = "a, summary, [tabindex]";
const carry = (from, to) => {
  const was = [...from.querySelectorAll(FOCUSED)].indexOf(document.activeElement);
  const opened = [...from.querySelectorAll("details")].map((one) => one.open);
  const scrolled = [...from.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  from.replaceWith(to);
  to.querySelectorAll("details").forEach((one, i) => { one.open = opened[i] || false; });
  to.querySelectorAll(".scroll").forEach((one, i) => { one.scrollLeft = scrolled[i] || 0; });
  if (was >= 0) to.querySelectorAll(FOCUSED)[was]?.focus({preventScroll: true});
};
const take = (part) => {
  const there = document.getElementById(part.id);
  const text = part.outerHTML;
  if (there && (there.source === text || isRead(there))) return;
  const mine = document.importNode(part, true);
  mine.source = text;
  if (there) carry(there, mine);
  else main.append(mine);
  mine.querySelectorAll(".chart").forEach(follow);
  if (mine.id === "stacks") kindle(mine);
};
const renew = (text) => {
  const next = new DOMParser().parseFromString(text, "text/html"), from = scrollY;
  const links = document.querySelector("nav ul"), nextLinks = next.querySelector("nav ul");
  if (links.children.length !== nextLinks.children.length) carry(links, document.importNode(nextLinks, true));
  const parts = [...next.querySelectorAll("main > section")];
  parts.forEach(take);
  // A section that came later has its place between the others.
  if ([...main.querySelectorAll(":scope > section")].map((one) => one.id).join() !== parts.map((one) => one.id).join())
    parts.forEach((part) => main.append(document.getElementById(part.id)));
  document.title = next.title;
  if (scrollY !== from) scrollTo(scrollX, from);
};
const ask = async () => {
  if (document.hidden || asked) return;
  asked = true;
  try {
    const answer = await fetch(location.pathname, {cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS)});
    if (answer.ok) renew(await answer.text());
    missed = 0;
  } catch {
    missed++;
  }
  asked = false;
  if (missed < PATIENCE) return;
  clearInterval(timer);
  ended.textContent = "Nobody answers any more: the run has ended, or soak has. This is what it last showed.";
};
// A page that was saved stays as it is.
const timer = location.protocol.startsWith("http") ? setInterval(ask, EVERY_MS) : 0;
