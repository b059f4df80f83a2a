// Shows what has changed while something runs, without losing the reader's place. Pages are whole without it.
"use strict";

const INTERVAL = 1500;

// What a link says behind "#" never reaches the server: hand it over. Ours all lead to a part of their page.
if (location.pathname === "/" && location.hash.includes("/")) {
  location.replace("/go?to=" + encodeURIComponent(location.hash));
}

const content = document.getElementById("content");

/** What a person has done to the page stays: opened details, text that was typed, boxes that were ticked. */
function keep(attribute, element) {
  const own = { DETAILS: ["open"], INPUT: ["value", "checked"], OPTION: ["selected"] };
  return !(own[element.tagName] ?? []).includes(attribute);
}

async function refresh() {
  if (content.dataset.live !== "true") return;
  const page = document.hidden ? null : await fetched();
  if (page) show(page);
  setTimeout(refresh, INTERVAL);
}

async function fetched() {
  try {
    const reply = await fetch(location.pathname + location.search, { credentials: "same-origin" });
    return reply.ok ? new DOMParser().parseFromString(await reply.text(), "text/html") : null;
  } catch {
    // The workspace is restarting or gone; the page stays as it is.
    return null;
  }
}

function show(page) {
  const next = page.getElementById("content");
  // The page's own focus and selection are kept by the morph; equal nodes, frames among them, are left alone.
  Idiomorph.morph(content, [...next.childNodes], {
    morphStyle: "innerHTML",
    ignoreActiveValue: true,
    callbacks: {
      beforeAttributeUpdated: keep,
      beforeNodeMorphed: (from, to) => !(from.isEqualNode && from.isEqualNode(to)),
    },
  });
  content.dataset.live = next.dataset.live;
  tellTimes();
  document.title = page.title;
}

/** The server's words for a time, as it goes by. */
function relative(then) {
  const seconds = Math.trunc(Math.abs(Date.now() - then) / 1000);
  if (seconds < 10) return "now";
  const steps = [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"]];
  const step = steps.find(([limit]) => seconds < limit);
  let amount;
  if (step) amount = `${Math.trunc(seconds / step[1])} ${step[2]}`;
  else amount = seconds < 172800 ? "1 day" : `${Math.trunc(seconds / 86400)} days`;
  return then <= Date.now() ? `${amount} ago` : `in ${amount}`;
}

function tellTimes() {
  for (const element of document.querySelectorAll("time[datetime]")) {
    const text = relative(Date.parse(element.dateTime));
    if (element.textContent !== text) element.textContent = text;
  }
}

setTimeout(refresh, INTERVAL);
setInterval(tellTimes, 10_000);
