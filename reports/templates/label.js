"use strict";
// Texts of the data are written only through textContent, so that none is read as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { items, grades, queries, documents } = data;
  const KEY = `rerank-harness-labels-${data.key}`;
  const byId = (id) => document.getElementById(id);
  const count = new Intl.NumberFormat("en");
  const history = [];
  let labels = {};
  let place = 0;
  let typed = "";

  function load() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY) || "{}");
      for (const [at, grade] of Object.entries(kept.labels || {})) {
        if (items[at] && grades.includes(grade)) labels[at] = grade;
      }
      if (Number.isInteger(kept.place) && items[kept.place]) place = kept.place;
    } catch (error) {
      warn();
    }
  }
  function keep() {
    try {
      localStorage.setItem(KEY, JSON.stringify({ labels, place }));
    } catch (error) {
      warn();
    }
  }
  function warn() {
    byId("storage").hidden = false;
    byId("storage").textContent = "This browser keeps no data for this page: save the labels before you close it.";
  }
  function show() {
    const item = items[place];
    const query = queries[item.query];
    byId("instruction").textContent = query.instruction;
    byId("instruction").hidden = !query.instruction;
    byId("query").textContent = query.text;
    byId("document").textContent = documents[item.document];
    byId("document").scrollTop = 0;
    for (const button of byId("grades").children) {
      button.setAttribute("aria-pressed", String(labels[place] === Number(button.dataset.grade)));
    }
    const done = Object.keys(labels).length;
    byId("progress").textContent =
      `Document ${count.format(place + 1)} of ${count.format(items.length)}; ${count.format(done)} labelled`;
    byId("bar").max = items.length;
    byId("bar").value = done;
    byId("previous").disabled = place === 0;
    byId("next").disabled = place === items.length - 1;
    byId("undo").disabled = history.length === 0;
  }
  function go(to) {
    place = Math.min(Math.max(to, 0), items.length - 1);
    typed = "";
    keep();
    show();
  }
  function label(grade) {
    history.push([place, labels[place]]);
    labels[place] = grade;
    go(place + 1);
  }
  function undo() {
    if (!history.length) return;
    const [at, before] = history.pop();
    if (before === undefined) delete labels[at];
    else labels[at] = before;
    go(at);
  }
  const field = (text) => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  function csv() {
    const rows = items.flatMap((item, at) => {
      if (labels[at] === undefined) return [];
      const query = queries[item.query];
      return [[query.collection, query.id, item.id, String(labels[at])].map(field).join(",")];
    });
    return ["collection,query_id,document_id,grade", ...rows, ""].join("\n");
  }
  function save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
    link.download = "labels.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }
  // A grade is taken as soon as no longer grade begins with the digits that were typed; Enter takes it at once.
  function digit(key) {
    typed += key;
    if (!grades.some((grade) => String(grade) !== typed && String(grade).startsWith(typed))) finish();
  }
  function finish() {
    const grade = grades.find((one) => String(one) === typed);
    typed = "";
    if (grade !== undefined) label(grade);
  }
  function press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[0-9]$/.test(event.key)) digit(event.key);
    else if (event.key === "Enter" && typed) finish();
    else if (event.key === "ArrowLeft") go(place - 1);
    else if (event.key === "ArrowRight") go(place + 1);
    else if (event.key === "u") undo();
    else if (event.key === "s") save();
    else return;
    event.preventDefault();
  }

  for (const grade of grades) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.grade = String(grade);
    button.textContent = String(grade);
    button.addEventListener("click", () => label(grade));
    byId("grades").append(button);
  }
  byId("previous").addEventListener("click", () => go(place - 1));
  byId("next").addEventListener("click", () => go(place + 1));
  byId("undo").addEventListener("click", undo);
  byId("save").addEventListener("click", save);
  document.addEventListener("keydown", press);
  load();
  show();
  document.documentElement.dataset.ready = "yes";
})();
