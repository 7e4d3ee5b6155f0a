// A second click on "Save" does nothing while the first is on its way. The button keeps its name and value.
export default function submitOnce(form) {
  let sent = false;
  const buttons = () => form.querySelectorAll("button[type=submit], button:not([type])");
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (sent) {
      event.preventDefault();
      return;
    }
    sent = true;
    buttons().forEach((button) => button.setAttribute("aria-disabled", "true"));
  });
  // Coming back with the back button gives a form that can be sent again.
  addEventListener("pageshow", () => {
    sent = false;
    buttons().forEach((button) => button.removeAttribute("aria-disabled"));
  });
}
