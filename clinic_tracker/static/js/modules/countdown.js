// Remaining time to an absolute end, by the server's clock; right again after the machine slept. Ends nothing by itself.
const ANNOUNCED = [60, 30, 10, 0];

export function words(minutes) {
  const whole = Math.abs(minutes);
  if (whole < 60) return `${whole} min`;
  return `${Math.floor(whole / 60)} h ${String(whole % 60).padStart(2, "0")} min`;
}

export default function countdown(element) {
  const ends = Date.parse(element.dataset.ends);
  const offset = Date.parse(element.dataset.now) - Date.now();
  const left = element.querySelector("[data-left]");
  const say = element.querySelector("[data-say]");
  let before = Infinity;

  function show() {
    const seconds = Math.ceil((ends - Date.now() - offset) / 1000);
    const minutes = Math.ceil(seconds / 60);
    let text = `${words(minutes)} left`;
    if (seconds <= 0) text = "time is over";
    else if (seconds < 300) text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left`;
    if (left.textContent !== text) left.textContent = text;
    element.classList.toggle("countdown--over", seconds <= 0);
    const crossed = ANNOUNCED.find((mark) => before > mark && minutes <= mark && before !== Infinity);
    if (crossed !== undefined) say.textContent = `${element.dataset.label}: ${crossed ? `${crossed} minutes left` : "time is over"}`;
    before = minutes;
  }

  show();
  const timer = setInterval(() => (element.isConnected ? show() : clearInterval(timer)), 1000);
  document.addEventListener("visibilitychange", () => document.hidden || show());
}
