// Leaving a page with typed but unsaved changes asks first.
export default function unsaved(form) {
  let changed = form.querySelector("[aria-invalid=true]") !== null;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
}
