// A button that opens a dialog of the page.
export default function openDialog(button) {
  const dialog = document.getElementById(button.dataset.dialog);
  if (!dialog?.showModal) return;
  button.hidden = false;
  button.addEventListener("click", () => dialog.showModal());
  dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close());
}
