// In a grid of inputs Enter goes to the next one, arrows up and down to the row above or below.
export default function enterNext(grid) {
  const inputs = () => [...grid.querySelectorAll("input:not([type=hidden]):not([disabled]), select:not([disabled])")].filter((input) => input.offsetParent);

  function vertical(input, step) {
    const cell = input.closest("td, th");
    const row = cell?.parentElement;
    if (!row) return null;
    const rows = [...row.parentElement.rows];
    for (let at = rows.indexOf(row) + step; at >= 0 && at < rows.length; at += step) {
      const there = rows[at].cells[cell.cellIndex]?.querySelector("input:not([type=hidden]), select");
      if (there) return there;
    }
    return null;
  }

  function go(target) {
    if (!target) return false;
    target.focus();
    if (target.select && target.type === "text") target.select();
    return true;
  }

  grid.addEventListener("keydown", (event) => {
    const at = event.target;
    if (event.key === "Enter" && at.matches("input:not([type=submit]), select")) {
      event.preventDefault();
      const all = inputs();
      const next = all[all.indexOf(at) + (event.shiftKey ? -1 : 1)];
      go(next) || at.form?.querySelector("button[type=submit]")?.focus();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && at.matches("input[type=text]")) {
      if (go(vertical(at, event.key === "ArrowDown" ? 1 : -1))) event.preventDefault();
    }
  });
}
