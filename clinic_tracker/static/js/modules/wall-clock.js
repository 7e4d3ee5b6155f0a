// The time of the server on the clinic's clock.
import { everySecond, now, timeOfDay } from "../parts/clock.js";

export default function wallClock(element) {
  const shown = element.querySelector("[data-clock]");
  everySecond(element, () => {
    const text = timeOfDay(now());
    if (shown.textContent !== text) shown.textContent = text;
  });
}
