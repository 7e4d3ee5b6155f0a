// A table that fits its place keeps its head in sight while the page scrolls; a wider one scrolls by itself.
export default function stickyHead(region) {
  const table = region.querySelector("table");
  const fit = () => region.classList.toggle("fits", table.offsetWidth <= region.clientWidth + 1);
  new ResizeObserver(fit).observe(region);
  fit();
}
