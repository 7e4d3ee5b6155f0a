// The form that signs out: what was typed and not saved goes with the person; nobody else's is kept in this tab.
import { forgetAll, forgetOthers } from "../parts/typed.js";

export default function forgetTyped(form) {
  forgetOthers(form.dataset.person);
  form.addEventListener("submit", forgetAll);
}
