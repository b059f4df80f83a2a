// Shows what has changed while runs are active, without losing the reader's place.
"use strict";

const INTERVAL = 1500;

// MLflow prints addresses that take its pages for the root of this server.
if (location.pathname === "/" && /^#\/(experiments|models|compare)/.test(location.hash)) {
  location.replace("/mlflow/" + location.hash);
}

async function refresh() {
  const content = document.getElementById("content");
  if (content.dataset.active !== "true") return;
  try {
    const reply = await fetch(location.pathname + location.search, { credentials: "same-origin" });
    if (reply.ok) {
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const next = page.getElementById("content");
      keepOpen(content, next);
      if (next.innerHTML !== content.innerHTML) content.innerHTML = next.innerHTML;
      content.dataset.active = next.dataset.active;
      document.title = page.title;
    }
  } catch {
    // The workspace is restarting or gone; the page stays as it is.
  }
  setTimeout(refresh, INTERVAL);
}

function keepOpen(from, to) {
  const targets = to.querySelectorAll("details");
  from.querySelectorAll("details").forEach((element, index) => {
    if (targets[index]) targets[index].open = element.open;
  });
}

setTimeout(refresh, INTERVAL);
