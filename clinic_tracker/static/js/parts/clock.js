// The server's clock in the browser. Every answer of the server sets it anew: the clock of a tablet may be wrong, and
// nobody knows what it did while the machine slept.
let offset = Date.parse(document.documentElement.dataset.now ?? "") - Date.now() || 0;

export const now = () => Date.now() + offset;

export function setClock(instant) {
  const told = Date.parse(instant ?? "");
  if (told) offset = told - Date.now();
}

// 2 h 05 min; short, for a wall: 2:05.
export function words(minutes, short = false) {
  const whole = Math.abs(minutes);
  if (short) return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  if (whole < 60) return `${whole} min`;
  return `${Math.floor(whole / 60)} h ${String(whole % 60).padStart(2, "0")} min`;
}

export function timeOfDay(instant) {
  const { timeZone } = document.documentElement.dataset;
  return new Intl.DateTimeFormat("en-US", { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(instant);
}

// Calls back now, each second, and whenever the page is looked at again; ends with the element.
export function everySecond(element, show) {
  const again = () => {
    if (element.isConnected) return show();
    clearInterval(timer);
    document.removeEventListener("visibilitychange", again);
  };
  const timer = setInterval(again, 1000);
  document.addEventListener("visibilitychange", again);
  show();
}
