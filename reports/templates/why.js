"use strict";
// Texts of the data are written only through textContent or append(string), so that none is read as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { queries, labels, groups, collections, details, documents, limits, figures } = data;
  const [RANK, SIDES] = [["A", "B"], [0, 1]];
  const [CHUNK, GROUPS, WHOLE] = [60, 12, 70];
  const MINUS = "\u2212", MOVED = 1e-9;
  const byId = (id) => document.getElementById(id);
  const count = new Intl.NumberFormat("en");

  function el(name, props, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(props || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (key in node && typeof value !== "string") node[key] = value;
      else node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
    return node;
  }
  function svg(name, props, ...children) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }
  const points = (value, digits = 1) => (100 * value).toFixed(digits).replace("-", MINUS);
  function signed(value, digits = 1) {
    if (value === null) return "–";
    const shown = (100 * value).toFixed(digits);
    if (Number(shown) === 0) return (0).toFixed(digits);
    return (value > 0 ? "+" : MINUS) + shown.replace("-", "");
  }
  const direction = (value) => (value > MOVED ? "gain" : value < -MOVED ? "loss" : "");
  const number = (value, digits) => el("span", { class: `num ${direction(value)}` }, signed(value, digits));
  const percent = (value) => (value === null ? "–" : `${(100 * value).toFixed(0).replace("-", MINUS)} %`);
  const plural = (n, one, many = `${one}s`) => `${count.format(n)} ${n === 1 ? one : many}`;
  const range = (pair, digits) => (pair[0] === null ? "no interval" : `${signed(pair[0], digits)} to ${signed(pair[1], digits)}`);

  /* ---- theme ---- */
  const THEMES = ["system", "light", "dark"];
  function setTheme(name) {
    if (name === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    byId("theme").textContent = `Theme: ${name}`;
  }
  function theme() {
    let now = null;
    try { now = localStorage.getItem("harness-theme"); } catch { /* a page from a file may have no storage */ }
    setTheme(THEMES.includes(now) ? now : "system");
    byId("theme").addEventListener("click", () => {
      const shown = document.documentElement.dataset.theme || "system";
      const next = THEMES[(THEMES.indexOf(shown) + 1) % THEMES.length];
      setTheme(next);
      // Only a click stores it: a page that is opened before a choice has arrived would store the one before it.
      try { localStorage.setItem("harness-theme", next); } catch { /* as above */ }
    });
  }

  /* ---- figures ---- */
  function card(title, big, ...below) {
    return el("div", { class: "card" }, el("h3", {}, title), el("p", { class: "big" }, big), ...below);
  }
  function drawFigures() {
    const measure = data.measures.join(", ");
    const small = (text) => el("p", { class: "muted" }, text);
    const bar = el("div", { class: "wtl", "aria-hidden": "true" });
    for (const name of ["wins", "ties", "losses"]) {
      bar.append(el("i", { class: name[0] }));
      bar.lastChild.style.flex = figures[name];
    }
    const interval = figures.interval[0] === null ? "no interval" : `95 % interval ${range(figures.interval)}`;
    byId("figures").append(
      card("A", points(figures.a), small(measure)),
      card("B", points(figures.b), small(measure)),
      card("B minus A, points", number(figures.delta), small(interval)),
      card("Queries that B wins", count.format(figures.wins), bar,
        small(`${plural(figures.ties, "tie")}, ${plural(figures.losses, "loss", "losses")}`)));
    const where = collections.length === 1
      ? `${collections[0].name}, ${plural(figures.queries, "query", "queries")}`
      : `${collections.length} collections with equal weight, ${plural(figures.queries, "query", "queries")}`;
    byId("scope").textContent = `${measure} on ${where}. First stage: ${data.stages.join("; ")}. All values are points.`;
    const others = collections.filter((one) => !one.same_candidates).map((one) => one.name).join(", ");
    if (others) {
      byId("scope").after(el("p", { class: "note" }, `A and B ordered different candidates on ${others}: part of the difference is `
        + "what the first stages found, not how it was ordered."));
    }
  }

  /* ---- headroom ---- */
  const PARTS = {
    value: ["Reached", "the value of the measure"],
    misordered: ["Misordered", "a better order of what the model saw would gain these points"],
    truncated: ["Truncated away", "relevant documents that lost half of their tokens or more"],
    not_retrieved: ["Not retrieved", "no order of the candidates can gain these points"],
    unreachable: ["Unreachable", "with these judgments no ranking can gain these points"],
  };
  function drawHeadroom() {
    const { parts, sides } = data.headroom;
    const used = parts.map((_, at) => at).filter((at) => at < 4 || SIDES.some((side) => sides[side][at] > MOVED));
    const stack = el("div", { class: "stack", "aria-hidden": "true" });
    for (const side of SIDES) {
      const bar = el("div", { class: "bar" });
      for (const at of used) {
        const part = el("i", { class: `part-${parts[at]}` });
        part.style.width = `${100 * Math.max(sides[side][at], 0)}%`;
        if (sides[side][at] > MOVED) bar.append(part);
      }
      stack.append(el("span", { class: `tag ${RANK[side].toLowerCase()}` }, RANK[side]), bar);
    }
    const rows = used.map((at) => el("tr", {},
      el("th", { scope: "row" }, el("span", { class: `key part-${parts[at]}` }), PARTS[parts[at]][0],
        el("span", { class: "also" }, PARTS[parts[at]][1])),
      el("td", { class: "r" }, points(sides[0][at])), el("td", { class: "r" }, points(sides[1][at])),
      el("td", { class: "r" }, signed(sides[1][at] - sides[0][at]))));
    const heads = ["Part of 100 points", "A", "B", "B minus A"].map((text, at) => el("th", { scope: "col", class: at ? "r" : null }, text));
    const table = el("table", {}, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows));
    const unknown = SIDES.filter((side) => collections.some((one) => !one.tokens[side])).map((side) => RANK[side]);
    byId("headroom-bars").append(stack, el("div", { class: "scroll" }, table));
    if (unknown.length) {
      byId("headroom-bars").append(el("p", { class: "muted" },
        `Tokens of ${unknown.join(" and ")} are not known for all collections; without them, nothing counts as truncated.`));
    }
  }

  /* ---- groups ---- */
  const facet = (at) => el("span", { class: "facet" },
    el("span", { class: "dim" }, `${labels[at].dimension}: `), el("b", { dir: "auto" }, labels[at].value));
  const plain = (at) => `${labels[at].dimension}: ${labels[at].value}`;
  const named = (group) => group.labels.map(plain).join(" and ");
  const COLUMNS = [
    ["Queries that have in common", null], ["Queries", (g) => g.queries], ["B minus A", (g) => g.mean],
    ["95 % interval", null], ["All others", (g) => g.rest], ["Adds to the whole", (g) => g.contribution],
    ["Share of the difference", (g) => g.share],
  ];
  const sorting = { column: null, down: true, all: false };
  function whisker(group, reach) {
    const [width, middle] = [144, 72];
    const at = (value) => (middle + (value / reach) * (middle - 4)).toFixed(1);
    const drawing = svg("svg", { class: "whisker", viewBox: `0 0 ${width} 18`, "aria-hidden": "true" },
      svg("line", { class: "zero", x1: middle, x2: middle, y1: 0, y2: 18 }));
    if (group.interval[0] !== null) {
      drawing.append(svg("line", { class: "span", x1: at(group.interval[0]), x2: at(group.interval[1]), y1: 9, y2: 9 }));
    }
    drawing.append(svg("circle", { class: `dot ${direction(group.mean)}`, cx: at(group.mean), cy: 9, r: 4 }));
    return drawing;
  }
  function groupRow(group, at, reach) {
    const pick = el("button", { type: "button", class: "link", title: "Show these queries" },
      el("span", { class: "facets" }, ...group.labels.map(facet)));
    pick.addEventListener("click", () => {
      filter({ group: String(at) });
      byId("queries").focus({ preventScroll: true });
      byId("queries").scrollIntoView();
    });
    const also = group.also.length
      ? el("span", { class: "also" }, `the same queries: ${group.also.map(plain).join("; ")}`)
      : null;
    const doubt = group.outcome ? "follows from A's result: where A is best, B can only lose"
      : group.stands_out ? null : "could be chance";
    return el("tr", { "data-group": String(at) },
      el("th", { scope: "row" }, pick, also, doubt && el("span", { class: "also" }, doubt)),
      el("td", { class: "r" }, count.format(group.queries)), el("td", { class: "r" }, number(group.mean)),
      el("td", {}, whisker(group, reach), el("span", { class: "also num" }, range(group.interval))),
      el("td", { class: "r" }, number(group.rest)), el("td", { class: "r" }, number(group.contribution, 2)),
      el("td", { class: "r" }, percent(group.share)));
  }
  function drawGroups() {
    const table = byId("groups-table");
    if (!groups.length) {
      byId("groups-about").textContent = "There are too few queries, or they have too much in common, to form groups.";
      table.parentNode.hidden = true;
      return;
    }
    byId("groups-about").textContent = "The group that explains most comes first: for its size, its mean differs most from all others. "
      + "Groups overlap, so their shares do not sum to 100 %. Choose one to see its queries.";
    const reach = Math.max(0.001, ...groups.flatMap((group) => [group.mean, ...group.interval].map(Math.abs)));
    const order = groups.map((_, at) => at);
    const { column, down, all } = sorting;
    const value = column === null ? () => 0 : COLUMNS[column][1];
    order.sort((x, y) => (value(groups[x]) - value(groups[y])) * (down ? -1 : 1));
    const heads = COLUMNS.map(([text, value], at) => {
      const button = value && el("button", { type: "button" }, text);
      if (button) button.addEventListener("click", () => sortGroups(at));
      const sorted = column === at ? (down ? "descending" : "ascending") : null;
      return el("th", { scope: "col", class: value ? "r" : null, "aria-sort": sorted }, button || text);
    });
    const shown = all ? order : order.slice(0, GROUPS);
    table.replaceChildren(el("thead", {}, el("tr", {}, ...heads)),
      el("tbody", {}, ...shown.map((at) => groupRow(groups[at], at, reach))));
    byId("groups-more").hidden = groups.length <= GROUPS;
    byId("groups-more").textContent = all ? `Show the first ${GROUPS}` : `Show all ${groups.length} groups`;
    markGroup();
  }
  function sortGroups(at) {
    sorting.down = sorting.column === at ? !sorting.down : true;
    sorting.column = at;
    drawGroups();
    byId("groups-table").querySelectorAll("th")[at].querySelector("button").focus();
  }
  function markGroup() {
    for (const row of byId("groups-table").querySelectorAll("tbody tr")) {
      row.classList.toggle("on", row.dataset.group === state.group);
    }
  }

  /* ---- one query ---- */
  function swapItem(swap, rows) {
    const [better, worse, effect] = swap;
    const doc = (at) => el("span", { class: "id", dir: "auto" }, documents.id[rows[at][0]]);
    const grade = (at) => (rows[at][1] > 0 ? `grade ${rows[at][1]}` : "not relevant");
    const place = (rank) => (rank ? String(rank) : "none");
    const at = (side) => `${place(rows[better][2 + side])} and ${place(rows[worse][2 + side])}`;
    return el("li", {}, el("b", {}, number(effect)), el("span", {}, doc(better), ` (${grade(better)}) `,
      effect < 0 ? "fell behind " : "passed ", doc(worse), ` (${grade(worse)}): ranks ${at(0)} in A, ${at(1)} in B`));
  }
  function textOf(row, language) {
    const text = el("p", { class: "text short", dir: "auto", lang: language }, documents.text[row[0]]);
    const cut = documents.length[row[0]] > limits.characters;
    if (documents.text[row[0]].length < 180 && !cut) return [text];
    const more = el("button", { type: "button", class: "link", "aria-expanded": "false" }, "show more");
    const rest = cut ? ` (the first ${limits.characters} of ${count.format(documents.length[row[0]])} characters)` : "";
    more.addEventListener("click", () => {
      const open = !text.classList.toggle("short");
      more.setAttribute("aria-expanded", String(open));
      more.textContent = open ? `show less${rest}` : "show more";
    });
    return [text, more];
  }
  function move(row, side) {
    const [own, other] = [row[2 + side], row[3 - side]];
    const name = RANK[1 - side];
    if (!other) return `not a candidate of ${name}`;
    if (!own || own === other) return `${name}: ${other}`;
    const risen = (own - other) * (side ? -1 : 1);
    return `${name}: ${other} ${risen > 0 ? "▲" : "▼"}${Math.abs(risen)}`;
  }
  function documentItem(row, side, language) {
    const [rank, grade, tokens, gain] = [row[2 + side], row[1], row[4 + side], row[6]];
    const judged = grade > 0 ? `relevant, grade ${grade}` : grade === 0 ? "judged not relevant" : "unjudged";
    const lost = tokens && tokens[1] < tokens[0];
    return el("li", { class: grade > 0 ? "rel" : null, "data-document": String(row[0]) },
      el("span", { class: "rank" }, rank ? String(rank) : "–"),
      el("div", {}, el("div", { class: "meta" },
        el("span", { class: "id", dir: "auto" }, documents.id[row[0]]),
        el("span", { class: grade > 0 ? "grade" : null }, judged), el("span", { class: "num" }, move(row, side)),
        lost && el("span", { class: "cut" }, `read ${count.format(tokens[1])} of ${count.format(tokens[0])} tokens`),
        side === 1 && gain !== null && Math.abs(gain) > MOVED && el("span", {}, "adds ", number(gain))),
      ...textOf(row, language)));
  }
  function ranking(rows, side, language) {
    const list = el("ol", {});
    const there = rows.filter((row) => row[2 + side]).sort((x, y) => x[2 + side] - y[2 + side]);
    const shown = there.filter((row) => row[2 + side] <= limits.top || row[1] > 0);
    const missing = rows.filter((row) => !row[2 + side] && row[1] > 0);
    let before = 0;
    for (const row of shown) {
      const skipped = row[2 + side] - before - 1;
      if (skipped > 0) list.append(el("li", { class: "gap" }, plural(skipped, "document"), " not shown"));
      list.append(documentItem(row, side, language));
      before = row[2 + side];
    }
    if (missing.length) list.append(el("li", { class: "gap" }, "relevant, but not among the candidates"));
    list.append(...missing.map((row) => documentItem(row, side, language)));
    return el("section", {}, el("h3", {}, el("span", { class: `tag ${RANK[side].toLowerCase()}` }, RANK[side]), " ranks"), list);
  }
  function twins(box) {
    const over = (event) => {
      const item = event.target.closest("li[data-document]");
      for (const one of box.querySelectorAll("li[data-document]")) {
        one.classList.toggle("twin", !!item && one !== item && one.dataset.document === item.dataset.document);
      }
    };
    for (const name of ["mouseover", "focusin", "mouseleave"]) box.addEventListener(name, over);
  }
  function accounts(headroom) {
    const one = (side) => data.headroom.parts.map((name, at) => [name, headroom[side][at]])
      .filter(([name, value]) => name !== "value" && value > 0.0005)
      .map(([name, value]) => `${points(value)} ${PARTS[name][0].toLowerCase()}`).join(", ") || "nothing";
    return el("p", { class: "accounts" }, `Lost by A: ${one(0)}. Lost by B: ${one(1)}.`);
  }
  function fillBody(body, at) {
    const language = collections[queries.collection[at]].language;
    const found = details[at];
    if (queries.text[at].length > WHOLE) body.append(el("p", { class: "fulltext", dir: "auto", lang: language }, queries.text[at]));
    if (!found) {
      body.append(el("p", { class: "muted" }, `The documents of this query are not on the page, which holds the ${count.format(limits.queries)} queries `
        + `that moved most. Run again with --queries ${figures.queries} to include all.`));
      return;
    }
    if (found.swaps.length) {
      body.append(el("h3", {}, "Swaps that moved the measure most, in points if only these two changed places"),
        el("ul", { class: "swaps" }, ...found.swaps.map((swap) => swapItem(swap, found.rows))));
    }
    const box = el("div", { class: "ranks" }, ...SIDES.map((side) => ranking(found.rows, side, language)));
    twins(box);
    body.append(accounts(found.headroom), box);
    if (found.left_out) body.append(el("p", { class: "muted" }, `${plural(found.left_out, "relevant document")} further down are not shown.`));
    if (found.missing) body.append(el("p", { class: "muted" }, `${plural(found.missing, "relevant document")} not in the corpus: counted in the ideal ranking, but cannot be found.`));
  }
  function queryItem(at) {
    const collection = collections[queries.collection[at]];
    const body = el("div", { class: "body" });
    const item = el("details", { "data-query": String(at) }, el("summary", {},
      el("span", {}, el("span", { class: "q", dir: "auto", lang: collection.language }, queries.text[at] || "(an empty query)"),
        el("span", { class: "where" }, el("span", { dir: "auto" }, queries.id[at]), " · ", el("span", { dir: "auto" }, collection.name))),
      el("span", { class: "delta" }, number(queries.delta[at])),
      el("span", { class: "both num" }, `A ${points(queries.a[at])} → B ${points(queries.b[at])}`)), body);
    item.addEventListener("toggle", () => { if (item.open && !body.childNodes.length) fillBody(body, at); });
    return el("li", {}, item);
  }

  /* ---- the list: filtered, sorted, drawn in chunks as it scrolls into view ---- */
  const state = { group: "", collection: "", outcome: "", sort: "moved", search: "" };
  let found = [], drawn = 0;
  const lowered = [];
  const SORTS = {
    moved: ["largest move", (x, y) => Math.abs(queries.delta[y]) - Math.abs(queries.delta[x])],
    loss: ["largest loss", (x, y) => queries.delta[x] - queries.delta[y]],
    gain: ["largest gain", (x, y) => queries.delta[y] - queries.delta[x]],
    a: ["lowest in A", (x, y) => queries.a[x] - queries.a[y]],
    b: ["lowest in B", (x, y) => queries.b[x] - queries.b[y]],
    file: ["order of the collection", () => 0],
  };
  const OUTCOMES = { loss: ["B loses", (delta) => delta < 0], gain: ["B wins", (delta) => delta > 0], tie: ["ties", (delta) => delta === 0] };
  function matches(at) {
    if (state.collection !== "" && queries.collection[at] !== Number(state.collection)) return false;
    if (state.outcome && !OUTCOMES[state.outcome][1](queries.delta[at])) return false;
    if (state.group !== "" && !groups[state.group].labels.every((label) => queries.labels[at].includes(label))) return false;
    if (!state.search) return true;
    lowered[at] ??= `${queries.id[at]}\n${queries.text[at]}`.toLowerCase();
    return lowered[at].includes(state.search);
  }
  function filter(change) {
    Object.assign(state, change);
    for (const [key, value] of Object.entries(state)) {
      const field = byId(`filter-${key}`);
      if (field && key !== "search" && field.value !== value) field.value = value;
    }
    found = queries.id.map((_, at) => at).filter(matches).sort(SORTS[state.sort][1]);
    drawn = 0;
    byId("list").replaceChildren();
    byId("count").textContent = `${count.format(found.length)} of ${plural(queries.id.length, "query", "queries")}`
      + (found.length ? `, mean ${signed(found.reduce((sum, at) => sum + queries.delta[at], 0) / found.length)}` : "")
      + (Object.keys(details).length < queries.id.length ? `. Documents are on the page for the ${count.format(limits.queries)} that moved most.` : ".");
    markGroup();
    drawMore();
  }
  function drawMore() {
    const next = found.slice(drawn, drawn + CHUNK);
    drawn += next.length;
    byId("list").append(...next.map(queryItem));
    byId("more").hidden = drawn >= found.length;
  }
  function choice(key, text, options) {
    const select = el("select", { id: `filter-${key}` }, ...options.map(([value, name]) => el("option", { value }, name)));
    select.addEventListener("change", () => filter({ [key]: select.value }));
    return el("label", {}, text, select);
  }
  function drawFilters() {
    const search = el("input", { id: "filter-search", type: "search", placeholder: "text or id", spellcheck: "false" });
    let waiting = 0;
    const look = () => filter({ search: search.value.trim().toLowerCase() });
    search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(look, 120); });
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("filters").append(
      choice("group", "Group", [["", "all"], ...groups.map((group, at) => [String(at), `${named(group)} (${group.queries})`])]),
      ...(collections.length > 1
        ? [choice("collection", "Collection", [["", "all"], ...collections.map((one, at) => [String(at), `${one.name} (${signed(one.delta)})`])])] : []),
      choice("outcome", "Outcome", [["", "all"], ...Object.entries(OUTCOMES).map(([key, [name]]) => [key, name])]),
      choice("sort", "Order", Object.entries(SORTS).map(([key, [name]]) => [key, name])),
      el("label", {}, "Search", search));
    new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting) && drawn < found.length) drawMore(); },
      { rootMargin: "800px" }).observe(byId("more"));
  }

  /* ---- the foot ---- */
  function drawFoot() {
    const list = el("dl", {});
    const entry = (term, ...texts) => list.append(el("dt", {}, term), ...texts.map((text) => el("dd", { dir: "auto" }, text)));
    for (const side of ["a", "b"]) entry(`${side.toUpperCase()}: harness show`, data[side].ids.join(" "));
    entry("Collections", ...collections.map((one) => `${one.name} (${one.split}${one.language ? `, ${one.language}` : ""}): `
      + `${one.measure} ${points(one.a)} → ${points(one.b)}, ${plural(one.queries, "query", "queries")}`));
    if (data.notes.length) entry("Notes", ...data.notes);
    entry("A swap", "The mean, over both rankings, of what exchanging only these two documents does to the measure.");
    entry("▲ ▼", "How many places the document rose or fell from A to B.");
    entry("Adds", "What a relevant document adds to the difference of its query. The sum is exactly the difference.");
    entry("Truncated away", "The ceiling of the candidates minus the ceiling with the relevant documents that lost half of their tokens ranked last; "
      + "at most the points lost below the ceiling. It is an upper bound of what truncation cost: the model may have erred for another reason.");
    entry("Could be chance", "The contrast of the group to all other queries is within p = .05 after Bonferroni over the groups that were tried. "
      + "Group intervals are normal approximations that take queries as independent.");
    entry("The interval", "A randomisation test flips the signs of whole questions, a question in several languages at once. The interval holds the differences "
      + "that it does not reject at 5 %. There is none for fewer than 6 questions.");
    entry("On this page", `The ${limits.top} first ranks of both, up to ${limits.relevant} further relevant documents, ${limits.characters} characters of each, `
      + `for the ${count.format(Math.min(limits.queries, figures.queries))} queries that moved most.`);
    byId("foot").append(el("h2", {}, "How to read this"), list);
  }

  byId("groups-more").addEventListener("click", () => { sorting.all = !sorting.all; drawGroups(); });
  for (const draw of [theme, drawFigures, drawHeadroom, drawFilters, drawGroups, drawFoot]) draw();
  filter({});
  document.documentElement.dataset.ready = "yes";
})();
