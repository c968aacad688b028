"use strict";
(() => {
  const form = document.querySelector("form.filters");
  const search = document.getElementById("search");
  const capability = document.getElementById("capability");
  const shown = document.getElementById("shown");
  const buttons = [...form.querySelectorAll("button[data-status]")];
  const columns = [...capability.options].map((option) => option.value);
  const rows = [...document.querySelectorAll(".matrix tbody tr")].map((row) => ({
    row,
    text: row.cells[0].textContent.toLowerCase(),
    status: row.dataset.status,
  }));

  // With a capability chosen, the status buttons speak of its cell, else of the tenant.
  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set(buttons.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.status));
    const column = columns.indexOf(capability.value);
    let count = 0;
    for (const { row, text, status } of rows) {
      const there = column > 0 ? row.cells[column].dataset.status : status;
      const taken = there !== undefined && (!wanted.size || wanted.has(there)) && words.every((word) => text.includes(word));
      row.hidden = !taken;
      count += taken;
    }
    const all = rows.length.toLocaleString("en");
    shown.textContent = count === rows.length ? `${all} tenants` : `${count.toLocaleString("en")} of ${all} tenants`;
  }

  // Opens the details that a link leads to, where the browser does not.
  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const details = target && target.closest("details");
    if (details) {
      details.open = true;
      details.scrollIntoView();
      details.firstElementChild.focus();
    }
  }

  search.addEventListener("input", apply);
  capability.addEventListener("change", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-status]");
    if (button) {
      button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") === "true" ? "false" : "true");
      apply();
    }
  });
  window.addEventListener("hashchange", reveal);
  form.hidden = false;
  reveal();
})();
