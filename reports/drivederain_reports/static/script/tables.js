// Tables that are sorted by a click on a heading, and filtered by text and by the values of some columns.
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells];

  const key = (row, column) => {
    const cell = row.cells[column];
    const shown = cell.dataset.value ?? (cell.querySelector(".mean, .place, strong") ?? cell).textContent.trim();
    const text = shown.replace(/[\u2212]/g, "-").replace(/[\u202f\u00a0,]/g, "").replace("\u221e", "Infinity");
    const number = parseFloat(text.replace(/^</, ""));
    return Number.isNaN(number) ? (/^[\u2013-]?$/.test(text) ? null : text.toLowerCase()) : number;
  };
  const compare = (one, other) => (typeof one === typeof other ? (one < other ? -1 : one > other ? 1 : 0) : typeof one === "number" ? -1 : 1);

  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      // First the way in which the better or larger is on top, then the other way, then as it was.
      const states = heading.classList.contains("num") || table.classList.contains("scores") ? ["descending", "ascending", ""] : ["ascending", "descending", ""];
      const next = states[(states.indexOf(heading.getAttribute("aria-sort") ?? "") + 1) % 3];
      for (const each of headings) each.removeAttribute("aria-sort");
      let rows = original;
      if (next) {
        heading.setAttribute("aria-sort", next);
        const turn = next === "ascending" ? 1 : -1;
        const keyed = original.map((row) => [key(row, column), row]);
        const known = keyed.filter(([value]) => value !== null).sort(([one], [other]) => turn * compare(one, other));
        rows = [...known, ...keyed.filter(([value]) => value === null)].map(([, row]) => row);
      }
      body.append(...rows);
    });
  });
}

for (const table of document.querySelectorAll("table[data-filterable]")) {
  const rows = [...table.tBodies[0].rows];
  const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  const bar = document.createElement("div");
  bar.className = "filters";
  const conditions = [];
  const told = document.createElement("span");
  told.setAttribute("role", "status");
  const apply = () => {
    let shown = 0;
    for (const row of rows) {
      row.hidden = !conditions.every((holds) => holds(row));
      shown += !row.hidden;
    }
    told.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} rows`;
  };
  const field = (label, control) => {
    const around = document.createElement("label");
    around.append(`${label} `, control);
    bar.append(around);
    control.addEventListener("input", apply);
  };
  headings.forEach((heading, column) => {
    if (!heading.hasAttribute("data-choice")) return;
    const values = [...new Set(rows.map((row) => row.cells[column].textContent.trim()))];
    if (values.length < 2) return;
    const select = document.createElement("select");
    select.append(new Option("all of them", ""), ...values.map((value) => new Option(value, value)));
    if (values.includes(heading.dataset.first)) select.value = heading.dataset.first;
    conditions.push((row) => !select.value || row.cells[column].textContent.trim() === select.value);
    field(heading.dataset.choice, select);
  });
  const text = document.createElement("input");
  text.type = "search";
  conditions.push((row) => row.textContent.toLowerCase().includes(text.value.trim().toLowerCase()));
  field("Rows with", text);
  bar.append(told);
  table.parentElement.before(bar);
  apply();
}
