// The button that switches the tone of the board on and off; off unless somebody wanted it on this screen.
import { beep, mayPlay, soundIsOn, switchSound } from "../parts/sound.js";

export default function sound(button) {
  const words = button.querySelector("[data-words]");
  const show = () => {
    button.setAttribute("aria-pressed", String(soundIsOn()));
    words.textContent = !soundIsOn() ? "Sound off" : mayPlay() ? "Sound on" : "Sound on: touch the page once";
  };
  button.addEventListener("click", () => {
    switchSound(!soundIsOn());
    show();
    beep();
  });
  document.addEventListener("clinic:event", beep);
  for (const touched of ["pointerup", "keyup"]) document.addEventListener(touched, () => setTimeout(show), { once: true });
  show();
  button.hidden = false;
}
