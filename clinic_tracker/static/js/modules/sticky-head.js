// A table that fits its place keeps its head in sight while the page scrolls; a wider one scrolls by itself, and its
// column of actions stays in sight.
export default function stickyHead(region) {
  const table = region.querySelector("table");
  const fit = () => {
    const wide = table.offsetWidth > region.clientWidth + 1;
    region.classList.toggle("is-wide", wide);
    region.classList.toggle("fits", !wide && region.dataset.sticky === "yes");
  };
  new ResizeObserver(fit).observe(region);
  fit();
}
