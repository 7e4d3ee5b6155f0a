// Cycles through the system's theme, light and dark; the choice is kept in a cookie so that pages arrive right.
const WORDS = { "": "Theme follows the system", light: "Light theme", dark: "Dark theme" };
const NEXT = { "": "dark", dark: "light", light: "" };

export default function theme(button) {
  const root = document.documentElement;
  const words = button.querySelector("[data-theme-words]");
  const show = () => {
    const now = root.dataset.theme ?? "";
    words.textContent = `${WORDS[now]}. Change theme`;
    button.title = WORDS[now];
  };
  button.addEventListener("click", () => {
    const next = NEXT[root.dataset.theme ?? ""];
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `theme=${next}; path=/; max-age=${next ? 31536000 : 0}; samesite=lax${secure}`;
    show();
  });
  show();
  button.hidden = false;
}
