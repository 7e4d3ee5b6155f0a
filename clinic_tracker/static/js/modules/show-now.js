// Scrolls a wide timeline so that the present month is in sight.
export default function showNow(region) {
  const now = region.querySelector("th.timeline__now");
  if (now && region.scrollWidth > region.clientWidth) region.scrollLeft = now.offsetLeft - region.clientWidth / 2;
}
