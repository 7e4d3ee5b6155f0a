// Remaining time to an absolute end, by the server's clock; right again after the machine slept. Ends nothing by itself.
import { everySecond, now, words } from "../parts/clock.js";
import { say, tell } from "../parts/announce.js";

const ANNOUNCED = [60, 30, 10, 0];

export default function countdown(element) {
  const left = element.querySelector("[data-left]");
  let before = Infinity;

  function announce(minutes) {
    const { event, say: over, label } = element.dataset;
    const crossed = ANNOUNCED.find((mark) => before > mark && minutes <= mark && before !== Infinity);
    before = minutes;
    if (crossed === undefined) return;
    if (event) crossed || tell(event, over);
    else say(`${label}: ${crossed ? `${crossed} minutes left` : element.dataset.over}`);
  }

  everySecond(element, () => {
    const seconds = Math.ceil((Date.parse(element.dataset.ends) - now()) / 1000);
    const minutes = Math.ceil(seconds / 60);
    const short = "short" in element.dataset;
    let text = short ? words(minutes, true) : `${words(minutes)} left`;
    if (seconds <= 0) text = element.dataset.over;
    else if (seconds < 300 && !short) text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left`;
    if (left.textContent !== text) left.textContent = text;
    element.classList.toggle("countdown--over", seconds <= 0);
    announce(minutes);
  });
}
