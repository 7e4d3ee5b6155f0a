// Keeps a part of the page current: asks for it again and again, at next to no cost while nothing changed (ETag).
import { remember, tell } from "../parts/announce.js";
import { now, setClock, timeOfDay } from "../parts/clock.js";
import { renew } from "../parts/morph.js";
import { soundIsOn } from "../parts/sound.js";

const SLOWEST = 60000;

export default function refresh(element, { attach }) {
  const every = Math.max(1, Number(element.dataset.seconds ?? 12)) * 1000;
  const stale = document.querySelector("[data-stale]");
  let { tag = "" } = element.dataset;
  let [failures, updated, timer, asking] = [0, now(), 0, false];

  const events = () => [...element.querySelectorAll("[data-told]")];
  events().forEach((event) => remember(event.dataset.told));

  function later() {
    clearTimeout(timer);
    // Not all screens of a suite in the same moment, and fewer questions to a server in trouble.
    const wait = Math.min(every * 2 ** failures, Math.max(every, SLOWEST)) * (0.8 + 0.4 * Math.random());
    if (element.isConnected) timer = setTimeout(ask, wait);
  }

  function show(current) {
    element.classList.toggle("is-stale", !current);
    if (!stale) return;
    stale.hidden = current;
    const text = current ? "" : `Not current: last updated ${timeOfDay(updated)}. Trying again…`;
    if (stale.lastElementChild.textContent !== text) stale.lastElementChild.textContent = text;
  }

  function put(text) {
    renew(element, new DOMParser().parseFromString(text, "text/html").body);
    attach(element);
    events().forEach((event) => tell(event.dataset.told, event.textContent));
  }

  async function ask() {
    if (asking || (document.hidden && !soundIsOn())) return later();
    asking = true;
    const headers = { "X-Background": "1", ...(tag && { "If-None-Match": tag }) };
    const options = { headers, redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(10000) };
    try {
      const answer = await fetch(element.dataset.url, options);
      // Signed out, here or elsewhere: nobody may read on.
      if (answer.type === "opaqueredirect") return location.reload();
      const current = answer.ok || answer.status === 304;
      if (current) {
        setClock(answer.headers.get("X-Now"));
        tag = answer.headers.get("ETag") ?? tag;
        if (answer.status === 200) put(await answer.text());
        updated = now();
      }
      failures = current ? 0 : failures + 1;
    } catch {
      failures += 1;
    }
    asking = false;
    show(!failures);
    later();
  }

  later();
  document.addEventListener("visibilitychange", () => document.hidden || ask());
  addEventListener("online", ask);
  addEventListener("pageshow", (event) => event.persisted && ask());
}
