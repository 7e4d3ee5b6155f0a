// Warns two minutes before the session ends; any key on the button extends it. Typing on a page counts as presence.
const WARN_SECONDS = 120;
const PRESENCE_MS = 120000;
const KEY = "clinic-tracker-last-seen";

export default function idle(dialog) {
  const limit = Number(dialog.dataset.seconds) * 1000;
  const token = document.querySelector("meta[name=csrf-token]")?.content ?? "";
  const remaining = dialog.querySelector("[data-remaining]");
  let [active, asking] = [0, false];

  // All tabs share one session, so they share the time of the last request.
  const touch = () => localStorage.setItem(KEY, String(Date.now()));
  const last = () => Number(localStorage.getItem(KEY));

  async function extend() {
    const answer = await fetch(dialog.dataset.keepAlive, { method: "POST", redirect: "manual", headers: { "X-CSRFToken": token } }).catch(() => null);
    if (answer?.ok) {
      touch();
      if (dialog.open) dialog.close();
    } else if (answer) {
      location.assign(dialog.dataset.signIn);
    }
  }

  // The clock of a tablet may be wrong. Whoever is still signed in is led on by the page to sign in.
  async function leave() {
    if (asking) return;
    asking = true;
    const options = { headers: { "X-Background": "1" }, redirect: "manual", cache: "no-store" };
    const answer = await fetch(dialog.dataset.signIn, options).catch(() => null);
    asking = false;
    if (answer?.type === "opaqueredirect") touch();
    else location.assign(dialog.dataset.signIn);
  }

  function tick() {
    const left = Math.ceil((last() + limit - Date.now()) / 1000);
    if (left <= 0) leave();
    else if (left > WARN_SECONDS) {
      if (dialog.open) dialog.close();
      if (active > last() + PRESENCE_MS) extend();
    } else {
      if (!dialog.open) dialog.showModal();
      remaining.textContent = left > 60 ? `${Math.ceil(left / 60)} minutes` : `${left} seconds`;
    }
  }

  touch();
  document.addEventListener("input", () => { active = Date.now(); });
  dialog.querySelector("[data-stay]").addEventListener("click", extend);
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); extend(); });
  document.addEventListener("visibilitychange", () => document.hidden || tick());
  setInterval(tick, 1000);
}
