"use strict";
(function () {
  const form = document.getElementById("filter");
  const body = document.getElementById("rows");
  const count = document.getElementById("count");
  if (!form || !body || !count) return;
  const rows = Array.from(body.rows);
  const texts = new Map();
  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };
  const apply = () => {
    const state = form.elements.state.value;
    const metric = form.elements.metric.value;
    const candidate = form.elements.candidate.value;
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const fits =
        (!state || row.dataset.state === state) &&
        (!candidate || row.dataset.candidate === candidate) &&
        (!metric || row.dataset.fails.split(" ").includes(metric)) &&
        (!words.length || words.every((word) => textOf(row).includes(word)));
      row.hidden = !fits;
      if (fits) shown += 1;
    }
    count.textContent = shown + " of " + rows.length + " rows";
  };
  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
  form.hidden = false;
  apply();
})();
