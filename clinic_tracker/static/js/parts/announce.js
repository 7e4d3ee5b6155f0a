// Tells something once. There is one live region for the whole page; what happens together is told together.
const region = document.createElement("div");
region.className = "visually-hidden";
region.setAttribute("role", "status");
region.dataset.live = "";
document.body.append(region);

const told = new Set();
let waiting = [];

export function say(words) {
  if (!waiting.length) setTimeout(() => {
    region.textContent = waiting.join(" ");
    waiting = [];
  }, 200);
  waiting.push(words);
}

// What was there when the page was opened is not news.
export function remember(key) {
  told.add(key);
}

export function tell(key, words) {
  if (told.has(key)) return;
  told.add(key);
  say(words);
  document.dispatchEvent(new CustomEvent("clinic:event", { detail: key }));
}
