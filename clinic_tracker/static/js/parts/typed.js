// What was typed and is not saved yet. Kept in the memory of this tab only, for the person who typed it, until it is
// saved, discarded, or the person signs out; nothing of it is written to lasting storage.
const PREFIX = "typed:";
const RETURNS = ["reload", "traverse", "back_forward"];
const LONGEST = 12 * 60 * 60 * 1000;

const keys = () => Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));

export const keyOf = (form) => `${PREFIX}${form.dataset.keepFor}:${location.pathname}:${form.id}`;

export function forgetAll() {
  keys().forEach((key) => sessionStorage.removeItem(key));
}

export function forgetOthers(person) {
  for (const key of keys()) {
    const { at } = read(key) ?? { at: 0 };
    if (!key.startsWith(`${PREFIX}${person}:`) || Date.now() - at > LONGEST) sessionStorage.removeItem(key);
  }
}

export function forget(form) {
  sessionStorage.removeItem(keyOf(form));
}

export function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}

const kept = (field) => field.name && field.name !== "csrf_token" && !["file", "password", "submit", "button"].includes(field.type);

// ``sent``: it was on its way, and nobody knows whether it arrived.
export function keep(form, sent = false) {
  const values = [...form.elements].filter(kept).map((field) => [field.name, field.value, field.checked ?? null]);
  try {
    sessionStorage.setItem(keyOf(form), JSON.stringify({ at: Date.now(), sent, values }));
  } catch {
    // A browser that keeps nothing still sends forms.
  }
}

// What was given up by going elsewhere must not come back as if it were new.
function isWanted(found) {
  const arrival = globalThis.navigation?.activation?.navigationType ?? performance.getEntriesByType("navigation")[0]?.type;
  return found.sent || RETURNS.includes(arrival) || /^\/(sign-in|clinic)\b/.test(new URL(document.referrer || location).pathname);
}

// Puts back what was typed, and the number of the form with it, so that it is recorded once however often it is sent.
export function restore(form) {
  const found = read(keyOf(form));
  if (!found) return null;
  if (!isWanted(found)) return forget(form);
  const left = [...found.values];
  for (const field of [...form.elements].filter(kept)) {
    const choice = ["checkbox", "radio"].includes(field.type);
    const at = left.findIndex(([name, value]) => name === field.name && (!choice || value === field.value));
    if (at < 0) continue;
    const [[, value, checked]] = left.splice(at, 1);
    if (choice) field.checked = checked;
    else field.value = value;
  }
  return found.at;
}
