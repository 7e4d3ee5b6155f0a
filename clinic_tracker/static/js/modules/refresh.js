// Keeps a part of the page current: asks for its fragment again and again, at no cost when nothing changed (ETag).
export default function refresh(element, { attach }) {
  const every = Math.max(5, Number(element.dataset.seconds ?? 15)) * 1000;
  let tag = "";

  async function ask() {
    if (document.hidden || element.contains(document.activeElement)) return;
    const headers = { "X-Background": "1", ...(tag && { "If-None-Match": tag }) };
    const answer = await fetch(element.dataset.url, { headers, redirect: "manual", cache: "no-store" }).catch(() => null);
    element.classList.toggle("is-stale", !answer || (!answer.ok && answer.status !== 304));
    if (!answer?.ok) return;
    tag = answer.headers.get("ETag") ?? "";
    const fragment = new DOMParser().parseFromString(await answer.text(), "text/html");
    element.replaceChildren(...fragment.body.childNodes);
    attach(element);
  }

  const timer = setInterval(() => (element.isConnected ? ask() : clearInterval(timer)), every);
  document.addEventListener("visibilitychange", () => document.hidden || ask());
}
