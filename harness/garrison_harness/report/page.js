"use strict";

const filters = document.querySelector("#filters");
const count = document.querySelector("#count");
const rows = [...document.querySelectorAll("[data-family]")];

function shown(row, wanted) {
  // A row has no say about what it has no data of: a check has no confidence, a finding no status.
  for (const name of ["family", "severity", "confidence", "status"]) {
    if (wanted[name] && row.dataset[name] !== undefined && row.dataset[name] !== wanted[name]) {
      return false;
    }
  }
  return !wanted.words || row.textContent.toLowerCase().includes(wanted.words.toLowerCase());
}

function several(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

function filter() {
  const wanted = Object.fromEntries(new FormData(filters));
  for (const row of rows) {
    row.hidden = !shown(row, wanted);
  }
  const findings = document.querySelectorAll("article:not([hidden])").length;
  const checks = document.querySelectorAll("tbody tr[data-family]:not([hidden])").length;
  count.textContent = `${several(findings, "finding")}, ${several(checks, "check")}`;
}

async function copy(button) {
  const text = button.parentElement.querySelector("pre");
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
  } catch {
    // Without leave to write to the clipboard it is at least selected.
    getSelection().selectAllChildren(text);
    button.textContent = "Selected";
  }
}

for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}
// What a filter hides cannot be gone to.
for (const link of document.querySelectorAll("article a[href^='#']")) {
  link.addEventListener("click", () => {
    document.querySelector(link.getAttribute("href")).closest("tr").hidden = false;
  });
}
filters.hidden = false;
filters.addEventListener("input", filter);
filters.addEventListener("submit", (event) => event.preventDefault());
filters.addEventListener("reset", () => setTimeout(filter));
filter();
