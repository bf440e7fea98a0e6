"use strict";
// Texts are never written as markup.
(() => {
  const byId = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  /* ---- theme ---- */
  const THEMES = ["system", "light", "dark"];
  function setTheme(name) {
    if (name === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    byId("theme").textContent = `Theme: ${name}`;
  }
  let chosen = "system";
  try { chosen = localStorage.getItem("harness-theme") || chosen; } catch { /* a page from a file may have no storage */ }
  setTheme(THEMES.includes(chosen) ? chosen : "system");
  byId("theme").addEventListener("click", () => {
    const shown = document.documentElement.dataset.theme || "system";
    const next = THEMES[(THEMES.indexOf(shown) + 1) % THEMES.length];
    setTheme(next);
    // Only a click stores it: a page that is opened before a choice has arrived would store the one before it.
    try { localStorage.setItem("harness-theme", next); } catch { /* as above */ }
  });

  /* ---- names of languages ---- */
  const names = new Intl.DisplayNames(["en"], { type: "language", fallback: "none" });
  for (const node of all("[data-code]")) {
    let name;
    try { name = names.of(node.dataset.code); } catch { name = undefined; }
    if (name) node.textContent = `${name} (${node.dataset.code})`;
  }

  /* ---- sorting ---- */
  const text = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  function valueOf(cell, kind) {
    const shown = (cell.dataset.v ?? (cell.firstChild ? cell.firstChild.textContent : "")).trim();
    if (kind === "text") return shown;
    const number = parseFloat(shown.replace("\u2212", "-").replaceAll(",", ""));
    return Number.isNaN(number) ? null : number;
  }
  const board = byId("board"), form = byId("filters"), bodies = new Map();
  function sort(table, head, descending) {
    const { kind } = head.dataset, column = head.cellIndex, sign = descending ? -1 : 1;
    const compare = kind === "text" ? text.compare : (a, b) => a - b;
    const sorted = (rows) => rows.map((row) => [valueOf(row.cells[column], kind), row])
      .sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b))).map(([, row]) => row);
    for (const body of table.tBodies) {
      if (body.matches(".references, .published")) continue;
      const long = bodies.get(body);
      if (long) { long.rows = sorted(long.rows); long.fill(); } else body.append(...sorted([...body.rows]));
    }
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    table.dataset.sorted = kind;
  }
  for (const head of all("th[data-kind]")) {
    head.querySelector("button").addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      sort(head.closest("table"), head, now ? now === "ascending" : head.dataset.kind === "number");
      remember();
    });
  }

  /* ---- a long table: only rows near the window are in the page; all rows are printed ---- */
  const FEW = 80, SPARE = 10, NEAR = 6;
  class Long {
    constructor(body, frame) {
      Object.assign(this, { body, frame, rows: [...body.rows], first: 0, last: 0, whole: false });
      this.height = this.rows.length ? this.rows[0].offsetHeight : 1;
      this.fill();
    }
    fill() {
      this.shown = this.rows.filter((row) => !row.hidden);
      this.shown.forEach((row, place) => row.setAttribute("aria-rowindex", place + 1));
      this.first = this.last = -1;
      this.draw();
    }
    draw() {
      const count = this.shown.length, all = this.whole || count <= FEW;
      const top = this.frame.scrollTop - this.body.offsetTop, from = Math.floor(top / this.height);
      const to = Math.ceil((top + this.frame.clientHeight) / this.height);
      const inside = this.first >= 0 && (this.first === 0 || from - NEAR >= this.first) && (this.last === count || to + NEAR <= this.last);
      if (inside && !all) return;
      this.first = all ? 0 : Math.max(0, Math.min(from - SPARE, count - 1));
      this.last = all ? count : Math.max(this.first, Math.min(to + SPARE, count));
      this.put(this.shown.slice(this.first, this.last));
      this.body.style.paddingTop = `${this.first * this.height}px`;
      this.body.style.paddingBottom = `${(count - this.last) * this.height}px`;
    }
    put(wanted) { // rows that stay are not replaced, so that a link keeps its focus
      const kept = new Set(wanted);
      for (const row of [...this.body.rows]) if (!kept.has(row)) row.remove();
      let at = this.body.firstElementChild;
      for (const row of wanted) {
        if (row === at) at = at.nextElementSibling;
        else this.body.insertBefore(row, at);
      }
    }
  }
  function watch(frame) {
    for (const body of all(".ranked, .incomplete", board)) bodies.set(body, new Long(body, frame));
    const draw = () => { for (const one of bodies.values()) one.draw(); };
    const print = (whole) => { for (const one of bodies.values()) { one.whole = whole; one.fill(); } };
    frame.addEventListener("scroll", draw, { passive: true });
    addEventListener("resize", draw);
    addEventListener("beforeprint", () => print(true));
    addEventListener("afterprint", () => print(false));
  }
  /* ---- filters; the choice is part of the address, so that a view can be shared ---- */
  const columns = new CSSStyleSheet();
  document.adoptedStyleSheets = [columns];
  const heads = board ? [...board.tHead.rows[0].cells] : [];
  const matches = (wanted, value) => !wanted || (wanted === "?" ? !value : value === wanted);

  function hideColumns(chosen) {
    const hidden = heads.filter((head) => {
      if (head.dataset.languages === undefined) return false;
      const other = chosen.language && !head.dataset.languages.split(" ").includes(chosen.language);
      return other || (["columns", "both"].includes(chosen.clean) && "trained" in head.dataset);
    });
    const rules = hidden.map((head) => `#board tr > :nth-child(${head.cellIndex + 1}) { display: none !important; }`);
    columns.replaceSync(rules.join("\n"));
    return hidden.length;
  }
  function apply() {
    const chosen = Object.fromEntries(new FormData(form));
    const words = (chosen.q || "").toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0, rows = 0;
    for (const row of [...bodies.values()].flatMap((one) => one.rows)) {
      const { text, stage, size, licence } = row.dataset;
      const kept = words.every((word) => text.includes(word)) && matches(chosen.stage, stage) && matches(chosen.size, size)
        && matches(chosen.licence, licence) && !(["rows", "both"].includes(chosen.clean) && "trained" in row.dataset);
      row.hidden = !kept;
      rows += 1; shown += kept;
    }
    for (const row of all(".references > tr", board)) row.hidden = !chosen.controls || !matches(chosen.stage, row.dataset.stage);
    for (const body of all("tbody.published", board)) body.hidden = !chosen.published;
    for (const one of bodies.values()) one.fill();
    const hidden = hideColumns(chosen);
    const gone = hidden ? ` ${hidden} columns are hidden; macro values, ranks and groups stay those of the whole table.` : "";
    byId("count").textContent = `${shown} of ${rows} systems.${gone}`;
  }
  function remember() {
    if (!form) return;
    const kept = new URLSearchParams();
    for (const field of form.elements) {
      if (!field.name) continue;
      const usual = field.type === "checkbox" ? field.defaultChecked : "";
      const value = field.type === "checkbox" ? field.checked : field.value;
      if (value !== usual) kept.set(field.name, value);
    }
    const head = heads.find((one) => one.hasAttribute("aria-sort"));
    if (head && head.cellIndex) kept.set("sort", `${head.cellIndex}${head.getAttribute("aria-sort") === "descending" ? "d" : "a"}`);
    try { history.replaceState(null, "", kept.size ? `#${kept}` : location.pathname); } catch { /* not from every file */ }
  }
  function recall() {
    const kept = new URLSearchParams(location.hash.slice(1));
    for (const field of form.elements) {
      if (!field.name || !kept.has(field.name)) continue;
      if (field.type === "checkbox") field.checked = kept.get(field.name) === "true";
      else field.value = kept.get(field.name);
      if (field.value === "" && field.tagName === "SELECT") field.selectedIndex = 0;
    }
    const head = heads[parseInt(kept.get("sort"), 10)];
    if (head && head.dataset.kind) sort(board, head, kept.get("sort").endsWith("d"));
  }
  if (form) {
    form.hidden = false;
    if (matchMedia("(max-width: 46rem)").matches) form.parentElement.open = false;
    watch(board.parentElement);
    recall();
    apply();
    form.addEventListener("input", () => { apply(); remember(); });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => { sort(board, heads[0], false); apply(); remember(); }));
  }

  /* ---- plot ---- */
  const tip = byId("tip");
  for (const dot of all("#plot [data-tip]")) {
    const show = () => {
      const frame = tip.parentElement, box = frame.getBoundingClientRect(), mark = dot.querySelector(".mark").getBoundingClientRect();
      tip.textContent = dot.dataset.tip;
      tip.hidden = false;
      const left = mark.left - box.left + frame.scrollLeft + 12, room = frame.scrollLeft + frame.clientWidth - tip.offsetWidth - 8;
      tip.style.left = `${Math.max(frame.scrollLeft + 8, Math.min(left, room))}px`;
      const above = mark.top - box.top - tip.offsetHeight - 8;
      tip.style.top = `${above > 4 ? above : mark.bottom - box.top + 8}px`;
    };
    const hide = () => { tip.hidden = true; };
    dot.addEventListener("mouseenter", show); dot.addEventListener("focus", show);
    dot.addEventListener("mouseleave", hide); dot.addEventListener("blur", hide);
    dot.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  }
  document.documentElement.dataset.ready = "yes";
})();
