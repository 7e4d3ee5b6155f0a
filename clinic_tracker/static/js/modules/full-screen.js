// A button that fills the screen with the page.
export default function fullScreen(button) {
  if (!document.fullscreenEnabled) return;
  const words = button.querySelector("[data-words]");
  button.addEventListener("click", () => {
    const change = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
    change.catch(() => {});
  });
  document.addEventListener("fullscreenchange", () => {
    words.textContent = document.fullscreenElement ? "Leave full screen" : "Full screen";
  });
  button.hidden = false;
}
