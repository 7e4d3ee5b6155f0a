// A form on a tablet with a bad network: what was typed is not lost, the page says that it is not saved, and sends it
// again until it is. The form has a number of its own, so that it is recorded once.
import { say } from "../parts/announce.js";
import { hasForm, parse, reason, showPage, trustAnew } from "../parts/answer.js";
import { timeOfDay } from "../parts/clock.js";
import { forget, keep, restore } from "../parts/typed.js";

const PATIENCE = 15000;
const AWAY = [502, 503, 504];
const SMALL = "button button--secondary button--small";

const signIn = () => document.getElementById("idle")?.dataset.signIn ?? "/sign-in";

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

export default function keepTyped(form, { attach }) {
  const notice = make("div", { className: "notice notice--warning kept no-print" });
  let [sending, tries] = [false, 0];
  let wake = () => {};

  function tell(words, action) {
    notice.replaceChildren(make("p", { textContent: words }), ...(action ? [action] : []));
    form.before(notice);
    say(words);
  }

  function signedOut() {
    const href = `${signIn()}?next=${encodeURIComponent(location.pathname + location.search)}`;
    const link = make("a", { className: SMALL, href, textContent: "Sign in" });
    tell("Not saved: your session has ended. What you typed is kept in this tab until you sign in again.", link);
  }

  function leave(url) {
    forget(form);
    const here = url.pathname + url.search === location.pathname + location.search;
    location.assign(url);
    if (here && url.hash) location.reload();
  }

  async function send(submitter, again = true) {
    const body = new URLSearchParams(new FormData(form, submitter));
    const options = { method: "POST", body, headers: { "X-Kept-Form": "1" }, signal: AbortSignal.timeout(PATIENCE) };
    const answer = await fetch(submitter?.hasAttribute("formaction") ? submitter.formAction : form.getAttribute("action"), options);
    if (AWAY.includes(answer.status)) throw new Error("away");
    const go = answer.headers.get("X-Go") && new URL(answer.headers.get("X-Go"), location.href);
    if (go) return go.pathname === signIn() ? signedOut() : leave(go);
    const page = parse(await answer.text());
    if ((answer.ok || answer.status === 400) && hasForm(page)) {
      keep(form); // no longer on its way: it does not come back on a page that is opened anew
      return showPage(page, attach);
    }
    if (answer.status === 400 && again) return (await trustAnew(form)) ? send(submitter, false) : signedOut();
    return tell(`Not saved. ${reason(page)}`);
  }

  async function persist(submitter) {
    for (;;) {
      try {
        return await send(submitter);
      } catch {
        if (!tries++) tell("Not saved. Trying again… What you typed is kept in this tab.");
        await new Promise((resolve) => {
          wake = resolve;
          setTimeout(resolve, Math.min(1000 * 2 ** tries, PATIENCE));
        });
      }
    }
  }

  form.addEventListener("submit", async (event) => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    if (sending) return;
    [sending, tries] = [true, 0];
    keep(form, true);
    const slow = setTimeout(() => { form.inert = true; }, 500);
    await persist(event.submitter);
    clearTimeout(slow);
    form.inert = sending = false;
  });
  for (const change of ["input", "change"]) form.addEventListener(change, () => keep(form));
  addEventListener("online", () => wake());
  // Whoever goes elsewhere gives it up; not who goes to sign in.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (link && form.isConnected && !notice.contains(link) && !link.getAttribute("href").startsWith("#")) forget(form);
  });

  const at = form.dataset.keptAnswer ? null : restore(form);
  if (!at) return;
  form.dispatchEvent(new Event("input"));
  const discard = make("button", { type: "button", className: SMALL, textContent: "Discard it" });
  discard.addEventListener("click", () => {
    forget(form);
    location.reload();
  });
  tell(`What you typed at ${timeOfDay(at)} is back. It is not saved yet.`, discard);
}
