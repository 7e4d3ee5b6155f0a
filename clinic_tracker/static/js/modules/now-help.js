// Beside a date and a time: a button that fills in this moment on the clinic's clock.
export default function nowHelp(parts) {
  const { timeZone, now } = document.documentElement.dataset;
  const [date, time] = parts.querySelectorAll("input");
  if (!timeZone || !time) return;
  const offset = Date.parse(now) - Date.now();
  const format = new Intl.DateTimeFormat("en-US", { timeZone, year: "numeric", month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button--secondary";
  button.textContent = "Now";
  button.addEventListener("click", () => {
    const part = Object.fromEntries(format.formatToParts(Date.now() + offset).map(({ type, value }) => [type, value]));
    date.value = `${part.day}-${part.month}-${part.year}`;
    time.value = `${part.hour}:${part.minute}`;
    date.dispatchEvent(new Event("input", { bubbles: true }));
    time.focus();
  });
  parts.append(button);
}
