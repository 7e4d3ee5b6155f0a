// Time since an instant, by the server's clock.
export default function elapsed(element) {
  const since = Date.parse(element.dataset.since);
  const offset = Date.parse(element.dataset.now) - Date.now();
  const shown = element.querySelector("[data-left]");

  function show() {
    const minutes = Math.max(0, Math.floor((Date.now() + offset - since) / 60000));
    const text = minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
    if (shown.textContent !== text) shown.textContent = text;
  }

  show();
  const timer = setInterval(() => (element.isConnected ? show() : clearInterval(timer)), 5000);
}
