// What the server answers to a form that a script sent: a page to show in the place of this one, or only its mark of
// trust, for a form that was left open past a sign-out.
import { initAll } from "../../vendor/govuk-frontend/govuk-frontend.js";

export const parse = (text) => new DOMParser().parseFromString(text, "text/html");

export const hasForm = (page) => page.querySelector("main form[data-keep-for]") !== null;

export function reason(page) {
  return [...page.querySelectorAll("main h1, main h1 ~ p")].map((part) => part.textContent.trim()).slice(0, 3).join(". ");
}

export function showPage(page, attach) {
  const main = page.querySelector("main");
  for (const form of main.querySelectorAll("form[data-keep-for]")) form.dataset.keptAnswer = "1";
  document.title = page.title;
  document.querySelector("main").replaceWith(main);
  history.replaceState(history.state, "", location.href);
  initAll({ scope: main });
  attach(main);
  scrollTo(0, 0);
  if (!main.contains(document.activeElement)) main.focus({ preventScroll: true });
}

// For the person who typed it only: who signed in meanwhile, in another tab, signs nothing that they have not seen.
export async function trustAnew(form) {
  const answer = await fetch(location.href, { redirect: "manual", cache: "no-store" });
  const anew = answer.ok && parse(await answer.text()).querySelector(`#${form.id}`);
  const mark = anew && anew.dataset.keepFor === form.dataset.keepFor && anew.elements.csrf_token?.value;
  if (mark) form.elements.csrf_token.value = mark;
  return Boolean(mark);
}
