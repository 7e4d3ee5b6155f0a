// Time since an instant, by the server's clock.
import { everySecond, now, words } from "../parts/clock.js";

export default function elapsed(element) {
  const shown = element.querySelector("[data-left]");
  everySecond(element, () => {
    const text = words(Math.max(0, Math.floor((now() - Date.parse(element.dataset.since)) / 60000)), "short" in element.dataset);
    if (shown.textContent !== text) shown.textContent = text;
  });
}
