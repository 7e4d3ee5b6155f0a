// A button that prints; without scripts it stays hidden, and the browser's own command does the same.
export default function print(button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
