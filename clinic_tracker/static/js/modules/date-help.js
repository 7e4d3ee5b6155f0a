// Below a date box: a button for today, and how a typed date is understood, with its weekday.
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function show(date) {
  return `${String(date.getUTCDate()).padStart(2, "0")}-${MONTHS[date.getUTCMonth()]}-${date.getUTCFullYear()}`;
}

function real(year, month, day) {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year > 1899 ? date : null;
}

export function understand(text) {
  const typed = text.trim().toLowerCase();
  let match = typed.match(/^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$/);
  if (match) return real(+match[1], +match[2], +match[3]);
  match = typed.match(/^(\d{1,2})[-/ ](\d{1,2})[-/ ](\d{4})$/);
  if (match) return real(+match[3], +match[1], +match[2]);
  match = typed.match(/^([a-z]{3})[a-z]*[-/,. ]*(\d{1,2})[-/,. ]+(\d{4})$/) ?? typed.match(/^(\d{1,2})[-/,. ]*([a-z]{3})[a-z]*[-/,. ]*(\d{4})$/);
  if (!match) return null;
  const [name, day] = /\d/.test(match[1]) ? [match[2], match[1]] : [match[1], match[2]];
  return real(+match[3], MONTHS.findIndex((month) => month.toLowerCase() === name) + 1, +day);
}

export default function dateHelp(input) {
  const today = document.documentElement.dataset.today;
  const line = document.createElement("div");
  line.className = "date-help no-print";
  const words = document.createElement("span");
  const explain = () => {
    const date = understand(input.value);
    words.textContent = date ? new Intl.DateTimeFormat("en-US", { weekday: "long", timeZone: "UTC" }).format(date) + ", " + show(date) : "";
  };
  input.addEventListener("input", explain);
  line.append(words);
  if (today && !input.closest("table")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link-button";
    button.textContent = "Today";
    button.addEventListener("click", () => {
      input.value = show(new Date(`${today}T00:00:00Z`));
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.focus();
    });
    line.append(button);
  }
  if (!input.closest("table")) (input.closest(".affix") ?? input).after(line);
  explain();
}
