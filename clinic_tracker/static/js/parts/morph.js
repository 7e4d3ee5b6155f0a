// Changes a part of the page into its new state piece by piece, so that focus, selection and scrolling stay where they
// are. Pieces with the same data-key are the same piece; a script's own marks on a piece stay.
const OWN = /^(data-attached|open$|class$)/;
const OWN_CLASSES = ["is-wide", "fits"];

function same(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && one.dataset?.key === other.dataset?.key
    && one.dataset?.module === other.dataset?.module;
}

function attributes(element, wanted) {
  const classes = [...wanted.classList, ...OWN_CLASSES.filter((name) => element.classList.contains(name))].join(" ");
  if (element.getAttribute("class") !== classes && element.namespaceURI.endsWith("xhtml")) element.className = classes;
  for (const { name } of [...element.attributes]) if (!wanted.hasAttribute(name) && !OWN.test(name)) element.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (element.getAttribute(name) !== value && !OWN.test(name)) element.setAttribute(name, value);
}

function children(element, wanted) {
  const keys = new Set([...wanted.children].map((child) => child.dataset.key));
  const keyed = new Map([...element.children].filter((child) => child.dataset.key).map((child) => [child.dataset.key, child]));
  for (const [key, child] of keyed) if (!keys.has(key)) child.remove();
  let here = element.firstChild;
  const drop = () => {
    const gone = here;
    here = here.nextSibling;
    gone.remove();
  };
  for (const next of [...wanted.childNodes]) {
    const { key } = next.dataset ?? {};
    // Words and blanks come and go; the piece that stays stands behind them.
    while (next.nodeType === Node.ELEMENT_NODE && here?.nodeType === Node.TEXT_NODE) drop();
    const known = key ? keyed.get(key) : here;
    if (known && same(known, next)) {
      if (known === here) here = here.nextSibling;
      else element.insertBefore(known, here);
      morph(known, next);
    } else {
      element.insertBefore(next, here);
    }
  }
  while (here) drop();
}

export function morph(node, wanted) {
  if (node.nodeType !== Node.ELEMENT_NODE) {
    if (node.nodeValue !== wanted.nodeValue) node.nodeValue = wanted.nodeValue;
    return;
  }
  attributes(node, wanted);
  if (!node.hasAttribute("data-left")) children(node, wanted); // a running clock is its own script's matter
}

// The children of an element become those of another; the focus returns to what has the same id, if it had to move.
export function renew(element, wanted) {
  const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
  children(element, wanted);
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus({ preventScroll: true });
}
