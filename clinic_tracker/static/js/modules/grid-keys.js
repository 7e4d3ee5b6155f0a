// In a table of links the arrow keys go to the next link to the left, to the right, above or below.
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export default function gridKeys(table) {
  const linksOf = (cell) => (cell ? [...cell.querySelectorAll("a")] : []);

  function within(link, step) {
    const links = linksOf(link.closest("td, th"));
    return links[links.indexOf(link) + step];
  }

  function beyond(link, down, right) {
    const cell = link.closest("td, th");
    const rows = [...table.rows];
    let row = rows.indexOf(cell.parentElement) + down;
    let column = cell.cellIndex + right;
    while (rows[row]?.cells[column]) {
      const links = linksOf(rows[row].cells[column]);
      if (links.length) return links[down < 0 ? links.length - 1 : 0];
      row += down;
      column += right;
    }
    return null;
  }

  table.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const link = event.target.closest("a");
    if (!step || !link || event.altKey || event.ctrlKey || event.metaKey) return;
    const target = (step[0] && within(link, step[0])) || beyond(link, ...step);
    if (!target) return;
    event.preventDefault();
    target.focus();
  });
}
