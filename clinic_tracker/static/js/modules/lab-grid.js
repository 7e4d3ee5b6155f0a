// The grid of laboratory values: Enter goes to the next value, arrows up and down; flags and gaps are shown as typed.
// Only a help for the eye: the server reads every value again.
const NUMBER = /^(<=|>=|<|>|≤|≥)?\s*(\d[\d,]*\.?\d*|\.\d+)$/;
const SPAN = /^(\d[\d,]*\.?\d*)\s*(?:-|–|to)\s*(\d[\d,]*\.?\d*)$/;
const NOTHING = /^(none|none seen|not seen|negative|neg|nil|absent)$/i;
const WORDS = { L: "L below range", H: "H above range", N: "normal" };

const amount = (text) => parseFloat(text.replace(/,/g, ""));

export function read(text) {
  const typed = text.trim();
  if (NOTHING.test(typed)) return { number: 0, sign: "" };
  const span = typed.match(SPAN);
  if (span) return { number: amount(span[2]), sign: "" };
  const single = typed.match(NUMBER);
  return single ? { number: amount(single[2]), sign: (single[1] ?? "").replace("≤", "<=").replace("≥", ">=") } : null;
}

export function flag(value, low, high) {
  if (!value || (Number.isNaN(low) && Number.isNaN(high))) return "";
  const least = value.sign.startsWith("<") ? -Infinity : value.number;
  const most = value.sign.startsWith(">") ? Infinity : value.number;
  if (most < low || (most === low && value.sign === "<")) return "L";
  if (least > high || (least === high && value.sign === ">")) return "H";
  return (Number.isNaN(low) || least >= low) && (Number.isNaN(high) || most <= high) ? "N" : "";
}

export default function labGrid(sheet) {
  const part = (row, name) => row.querySelector(`[data-lab=${name}]`);

  function mark(row) {
    const [value, unit, low, high, output] = ["value", "unit", "low", "high", "flag"].map((name) => part(row, name));
    if (!low) return;
    const sameUnit = unit.value.trim() === unit.defaultValue.trim() || low.value !== low.defaultValue || high.value !== high.defaultValue;
    const found = sameUnit ? flag(read(value.value), amount(low.value || "-"), amount(high.value || "-")) : "";
    output.textContent = value.value.trim() ? WORDS[found] ?? "" : "";
    output.dataset.flag = found;
  }

  function remark(panel) {
    const line = part(panel, "remark");
    const problem = part(panel, "problem"), status = part(panel, "status");
    const given = [...panel.querySelectorAll("[data-lab-row]")].filter((row) => part(row, "value").value.trim()).map((row) => row.dataset.labRow);
    const missing = JSON.parse(panel.dataset.needs).flatMap((need) => {
      const absent = need.of.filter(([code]) => !given.includes(code));
      if (absent.length < need.of.length) return absent.map(([, words]) => words);
      return [given.length ? need.others : need.none];
    });
    const why = problem.value ? problem.selectedOptions[0].text.toLowerCase()
      : ["preliminary", "cancelled"].includes(status.value) ? status.selectedOptions[0].text.toLowerCase() : missing.join("; ");
    const started = given.length > 0 || problem.value || status.value === "cancelled";
    const judged = JSON.parse(panel.dataset.needs).length > 0;
    const text = !started || !judged ? "" : why ? `Does not count: ${why}` : "Complete";
    if (line.textContent !== text) line.textContent = text;
    line.toggleAttribute("data-complete", text === "Complete");
  }

  function update(target) {
    const row = target.closest("[data-lab-row]"), panel = target.closest("[data-lab-panel]");
    if (row) mark(row);
    if (panel) remark(panel);
  }

  function move(from, step) {
    const values = [...sheet.querySelectorAll("[data-lab=value]")];
    const row = from.closest("[data-lab-row]");
    const name = from.dataset.lab;
    const same = row && name && name !== "value" ? [...sheet.querySelectorAll(`[data-lab=${name}]`)] : values;
    const at = same.indexOf(from);
    const next = row ? same[at + step] : values[0];
    (next ?? (step > 0 ? sheet.closest("form").querySelector(".submit-row button[type=submit]") : null))?.focus();
    if (next?.select) next.select();
  }

  sheet.addEventListener("keydown", (event) => {
    const at = event.target;
    const inGrid = at.closest("[data-lab-row]") && at.matches("input[type=text]");
    if (event.key === "Enter" && (inGrid || at.closest(".lab-sheet"))) {
      event.preventDefault();
      if (at.id === "collected_on") sheet.querySelector("#laboratory").focus();
      else move(at, event.shiftKey ? -1 : 1);
    } else if (inGrid && !at.list && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      move(at, event.key === "ArrowDown" ? 1 : -1);
    }
  });
  sheet.addEventListener("input", (event) => update(event.target));
  sheet.addEventListener("change", (event) => update(event.target));
  sheet.querySelectorAll("[data-lab-row]").forEach(mark);
  sheet.querySelectorAll("[data-lab-panel]").forEach(remark);
}
