"use strict";
(function () {
  const D = JSON.parse(document.getElementById("data").textContent);
  const T = D.texts, S = D.sites, L = D.lines, N = S.id.length, PAGE = 50;
  const OUTSIDE = [
    "base", "activity", "usual_workforce", "region", "country", "tier", "listed_good", "listed_other_hazard",
    "listed_elsewhere", "listed_in_country", "listed_upstream", "list_ratio_bound", "balance", "audit_cells",
  ];
  const locale = D.lang === "fr" ? "fr-FR" : "en-GB";
  const byId = (id) => document.getElementById(id);
  const plain = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const fixed = [0, 1, 2, 3].map((n) => new Intl.NumberFormat(locale, { minimumFractionDigits: n, maximumFractionDigits: n }));
  const gap = D.lang === "fr" ? "\u202f" : "";
  const NUMBERS = D.lang === "fr" ? { decimal: ",", thousands: "\u202f", grouping: [3], currency: ["", "\u202f€"], percent: "\u202f%" }
    : { decimal: ".", thousands: ",", grouping: [3], currency: ["", ""] };
  const order = new Intl.Collator(locale);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, key) => (key in values ? values[key] : all));
  let hazard = D.hazards[0].id;
  let views = [];

  function percent(p, digits) {
    if (digits === undefined) {
      if (p > 0 && p < 0.001) return "<" + fixed[1].format(0.1) + gap + "%";
      if (p > 0.999) return ">" + fixed[1].format(99.9) + gap + "%";
      digits = p < 0.1 || p > 0.99 ? 1 : 0;
    }
    return fixed[digits].format(p * 100) + gap + "%";
  }
  function ratio(r) { return "×" + fixed[r < 0.1 ? 3 : r < 10 ? 2 : 1].format(r); }
  function share(h, name, i) { return D.scores[h][name][i] / D.parts; }
  function make(tag, text, attributes) {
    const element = document.createElement(tag);
    if (text !== undefined && text !== null) element.textContent = text;
    for (const key in attributes || {}) element.setAttribute(key, attributes[key]);
    return element;
  }
  function name(kind, place) { return place < 0 ? "–" : D[kind + "_names"].names[place]; }
  function band(h, i) {
    const found = D.bands[D.scores[h].band[i]];
    return make("span", found.name, { class: "band " + found.id });
  }

  // -- charts ---------------------------------------------------------------------------------------------------
  function draw(where, spec, data) {
    const made = JSON.parse(JSON.stringify(spec));
    if (data) {
      made.datasets = data;
      made.height *= data.steps.length;
      const ends = data.steps.flatMap((s) => [s.from, s.to, s.low || s.to, s.high || s.to]);
      const axis = made.layer[0].encoding.x.axis;
      axis.values = axis.values.filter((v) => v >= Math.min(...ends) && v <= Math.max(...ends));
      if (window.matchMedia("(max-width: 640px)").matches) made.config.axis = { ...made.config.axis, labelLimit: 120, labelFontSize: 11 };
    }
    return window.vegaEmbed(where, made, { actions: false, renderer: "svg", ast: true, logLevel: 1, formatLocale: NUMBERS, tooltip: { theme: "custom" } });
  }
  function drawAll() {
    const narrow = window.matchMedia("(max-width: 640px)").matches;
    const map = JSON.parse(JSON.stringify(D.charts.map));
    const tiers = JSON.parse(JSON.stringify(D.charts.tiers));
    if (narrow) {
      tiers.encoding.color.legend.columns = 2;
      tiers.encoding.y.axis.labelLimit = 120;
      map.height = 190;
      const dots = map.layer[1].encoding;
      dots.size.scale.range = [8, 120];
      dots.fill.legend.columns = 2;
    }
    return Promise.all([
      draw("#chart-map", map), draw("#chart-heat", D.charts.heat), draw("#chart-tiers", tiers),
    ]).then((made) => { views = made.map((m) => m.view); document.body.dataset.ready = "1"; });
  }
  function switchHazard(to) {
    hazard = to;
    views.forEach((view) => view.signal("hazard", to).runAsync());
    refresh();
  }

  // -- the list -------------------------------------------------------------------------------------------------
  const columns = [
    { key: "rank", title: T.rank, less: true, number: true, value: (i) => S.rank[i] === null ? Infinity : S.rank[i] },
    { key: "site", title: T.site, text: (i) => S.name[i] || S.id[i] },
    { key: "country", title: T.country, text: (i) => name("country", S.country[i]) },
    { key: "activity", title: T.activity, less: true, text: (i) => name("division", S.division[i]) },
    { key: "tier", title: T.tier, less: true, number: true, value: (i) => S.tier[i] || 9 },
    { key: "band", title: T.band, value: (i) => D.scores[hazard].band[i], down: true },
    { key: "p80", title: T.p80, value: (i) => D.scores[hazard].p80[i], down: true },
    { key: "grade", title: T.grade, value: (i) => D.scores[hazard].grade[i], down: true },
    { key: "priority", title: T.priority, less: true, number: true, value: (i) => D.scores[hazard].priority[i], down: true },
  ];
  let sorted = { key: "p80", down: true }, page = 0, shown = [], haystack = null;

  function fold(text) { return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase(); }
  function searchable() {
    if (!haystack) {
      const country = D.country_names.names.map((n, k) => fold(n + " " + D.country_names.codes[k]));
      const activity = D.division_names.names.map((n, k) => fold(n + " " + D.division_names.codes[k]));
      haystack = new Array(N);
      for (let i = 0; i < N; i++) {
        haystack[i] = fold(S.id[i] + " " + S.name[i]) + " " + country[S.country[i]] + " " + activity[S.division[i]];
      }
    }
    return haystack;
  }
  function chosen(id) { const value = byId(id).value; return value === "" ? null : Number(value); }
  function filtered() {
    const words = fold(byId("q").value.trim()).split(/\s+/).filter(Boolean);
    const text = words.length ? searchable() : null;
    const tests = [["f-country", S.country], ["f-division", S.division], ["f-tier", S.tier],
      ["f-band", D.scores[hazard].band], ["f-grade", D.scores[hazard].grade]]
      .map(([id, column]) => [chosen(id), column]).filter(([value]) => value !== null);
    const found = [];
    for (let i = 0; i < N; i++) {
      if (tests.every(([value, column]) => column[i] === value) && (!text || words.every((w) => text[i].includes(w)))) found.push(i);
    }
    return found;
  }
  function arrange(found) {
    const column = columns.find((c) => c.key === sorted.key), sign = sorted.down ? -1 : 1;
    if (column.text) {
      const said = new Map();
      found.forEach((i) => said.set(i, column.text(i)));
      return found.sort((a, b) => sign * order.compare(said.get(a), said.get(b)) || a - b);
    }
    const p50 = D.scores[hazard].p50;
    return found.sort((a, b) => sign * (column.value(a) - column.value(b)) || p50[b] - p50[a] || a - b);
  }
  function refresh() { shown = arrange(filtered()); page = 0; show(); }
  function interval(i) {
    const cell = make("td"), low = share(hazard, "p05", i), mid = share(hazard, "p80", i), high = share(hazard, "p95", i);
    cell.append(make("span", fill(T.to, { middle: percent(mid), low: percent(low), high: percent(high) })));
    const bar = make("span", "", { class: "range", "aria-hidden": "true" }), range = make("i"), mark = make("b");
    range.style.left = low * 100 + "%"; range.style.width = Math.max((high - low) * 100, 1) + "%"; mark.style.left = mid * 99 + "%";
    bar.append(range, mark); cell.append(bar);
    return cell;
  }
  function row(i) {
    const line = make("tr"), site = make("td", null, { class: "site" });
    const open = make("button", null, { type: "button", "aria-label": fill(T.open, { site: S.name[i] || S.id[i] }) });
    open.append(make("bdi", S.name[i] || S.id[i], { class: "text" }));
    open.addEventListener("click", () => showSite(i));
    site.append(open, make("bdi", S.id[i], { class: "id" }));
    const bandCell = make("td"); bandCell.append(band(hazard, i));
    const activity = make("td", null, { class: "less" });
    activity.append(make("span", name("division", S.division[i]), { class: "text" }));
    line.append(make("td", S.rank[i] === null ? "–" : plain.format(S.rank[i]), { class: "number less" }), site,
      make("td", name("country", S.country[i])), activity, make("td", S.tier[i] ? S.tier[i] : "–", { class: "less" }), bandCell,
      interval(i), make("td", D.grades[D.scores[hazard].grade[i]]),
      make("td", fixed[1].format(D.scores[hazard].priority[i] / 10), { class: "number less" }));
    return line;
  }
  function show() {
    const pages = Math.max(1, Math.ceil(shown.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const body = document.createDocumentFragment();
    shown.slice(page * PAGE, (page + 1) * PAGE).forEach((i) => body.append(row(i)));
    byId("sites").tBodies[0].replaceChildren(body);
    byId("count").textContent = shown.length
      ? fill(T.count, { shown: plain.format(shown.length), all: plain.format(N) }) : T.none;
    byId("page").textContent = fill(T.page, { page: plain.format(page + 1), pages: plain.format(pages) });
    byId("first").disabled = byId("previous").disabled = page === 0;
    byId("next").disabled = byId("last").disabled = page === pages - 1;
    document.querySelectorAll("#sites th").forEach((th) => {
      th.setAttribute("aria-sort", th.dataset.key === sorted.key ? (sorted.down ? "descending" : "ascending") : "none");
    });
  }
  function heads() {
    const line = byId("sites").tHead.rows[0];
    columns.forEach((column) => {
      const th = make("th", null, { scope: "col", "data-key": column.key, class: (column.less ? "less " : "") + (column.number ? "number" : "") });
      const sort = make("button", column.title, { type: "button" });
      sort.addEventListener("click", () => {
        sorted = { key: column.key, down: sorted.key === column.key ? !sorted.down : Boolean(column.down) };
        refresh();
      });
      th.append(sort); line.append(th);
    });
  }
  function options(id, entries) {
    const list = byId(id);
    list.append(make("option", T.all, { value: "" }));
    entries.forEach(([value, text]) => list.append(make("option", text, { value })));
  }
  function choices() {
    const alphabetical = (kind) => D[kind + "_names"].names.map((n, k) => [k, n]).sort((a, b) => order.compare(a[1], b[1]));
    options("f-country", alphabetical("country"));
    options("f-division", D.division_names.codes.map((code, k) => [k, code + " " + D.division_names.names[k]]));
    options("f-tier", [1, 2, 3, 4, 0].map((t) => [t, D.tiers[t]]));
    options("f-band", D.bands.map((b, k) => [k, b.name]).reverse());
    options("f-grade", D.grades.map((g, k) => [k, g]));
  }

  // -- one site -------------------------------------------------------------------------------------------------
  let evidenceOf = null;
  function evidenceLines(i, h) {
    const E = D.evidence;
    if (!evidenceOf) {
      evidenceOf = new Map();
      E.site.forEach((site, k) => { (evidenceOf.get(site) || evidenceOf.set(site, []).get(site)).push(k); });
    }
    return (evidenceOf.get(i) || []).filter((k) => E.words.hazard[E.hazard[k]] === h).map((k) => ({
      title: E.titles[E.factor[k]], ln: E.ln[k], sd: E.sd[k], stated: true, weight: 0, step: E.words.step[E.step[k]],
      source: { text: E.source_texts[E.source[k]], since: E.since[k], url: "", prior: "" },
    }));
  }
  function linesOf(i, h) {
    const found = {}, cell = S.cell[i], own = S.own[i], division = S.division[i], cells = L.cells[h];
    const add = (key, ln, sd, stated, weight) => {
      found[key] = { key, title: L.titles[key], ln, sd, stated, weight, step: "rate", source: L.sources[h][key] || { text: "", since: "", url: "" } };
    };
    for (const key in cells) add(key, cells[key].ln[cell], cells[key].sd[cell], Boolean(cells[key].stated[cell]), cells[key].weight[cell]);
    for (const key in L.own[h]) {
      const line = L.own[h][key], stated = S.migrants[i] !== null;
      add(key, line.ln[own], line.sd[own], stated, stated || !line.weight ? 0 : line.weight[own]);
    }
    L.factors.forEach((key, place) => {
      const line = L.patterns[h][key];
      if (!line) return;
      const state = Math.floor(S.factors[i] / Math.pow(3, place)) % 3;
      add(key, line.ln[state][division], line.sd[state][division], state !== 2, state === 2 ? line.weight[division] : 0);
    });
    let outside = 0, factors = 0;
    for (const key in found) { if (OUTSIDE.includes(key)) outside += found[key].ln; else factors += found[key].ln; }
    const bounded = L.limits.together * Math.tanh(factors / L.limits.together);
    const raw = outside + bounded, top = L.limits.ceiling;
    add("combined_ratio_bound", bounded - factors, 0, true, 0);
    add("rate_ceiling", Math.log(top * -Math.expm1(-Math.exp(raw) / top)) - raw, 0, true, 0);
    const known = S.workers[i] !== null, ln = known ? Math.log(Math.max(S.workers[i], 1)) : L.size.ln_usual[division];
    add("size", L.size.exponent * ln, known ? Math.min(Math.abs(L.size.sd * ln), L.size.unknown_sd[division]) : L.size.unknown_sd[division],
      known, known ? 0 : L.size.weight[division]);
    found.size.step = "presence";
    const ordered = Object.keys(L.titles).filter((key) => key in found).map((key) => found[key]);
    const more = evidenceLines(i, h), before = ordered.pop();
    return ordered.concat(more.filter((l) => l.step === "rate"), [before], more.filter((l) => l.step === "evidence"));
  }
  function computed(lines) {
    const sum = (step) => lines.filter((l) => l.step === step).reduce((total, l) => total + l.ln, 0);
    const lnRate = sum("rate"), m = Math.exp(lnRate + sum("presence")), p0 = -Math.expm1(-m);
    const odds = Math.expm1(m) * Math.exp(sum("evidence"));
    return { rate: Math.exp(lnRate), p0, p50: odds === Infinity ? 1 : odds / (1 + odds) };
  }
  function steps(lines, i, h) {
    const rows = [], after = computed(lines);
    let running = 1, odds = null;
    const push = (line, from, to, kind, label, low, high) => rows.push({ line, order: rows.length, from, to, kind, label, low: low || null, high: high || null });
    const saturate = () => {
      if (after.p0 / running < 0.98) push(T.once, running, after.p0, "lowers", ratio(after.p0 / running));
    };
    lines.forEach((line, k) => {
      const r = Math.exp(line.ln), before = running;
      if (line.step === "evidence") {
        if (odds === null) saturate();
        if (odds === null) odds = after.p0 / Math.max(1 - after.p0, 1e-15);
        const from = odds / (1 + odds);
        odds *= r;
        if (Math.abs(line.ln) >= 0.02) push(line.title + "\u200b".repeat(k), from, odds / (1 + odds), r > 1 ? "raises" : "lowers", ratio(r));
        return;
      }
      running *= r;
      if (k === 0) push(line.title, running / 3, running, "start", percent(r, 2));
      else if (Math.abs(line.ln) >= 0.02) push(line.title, before, running, r > 1 ? "raises" : "lowers", ratio(r));
    });
    if (odds === null) saturate();
    push(T.probability, rows[0].from, share(h, "p50", i), "total", percent(share(h, "p50", i)), share(h, "p05", i) || 1e-5, share(h, "p95", i) || 1e-5);
    return rows;
  }
  function lineTable(lines) {
    const table = make("table"), head = table.createTHead().insertRow(), body = table.createTBody();
    [T.line, T.ratio, T.range, T.source].forEach((title) => head.append(make("th", title, { scope: "col" })));
    lines.forEach((line, k) => {
      const row = body.insertRow(), r = Math.exp(line.ln), wide = Math.exp(1.6448536269514722 * line.sd);
      const write = (x) => (k === 0 ? percent(x, 2) : ratio(x));
      const head = make("th", line.title, { scope: "row" }), source = make("td");
      if (!line.stated) head.append(make("span", " (" + T.unknown + ")", { class: "unstated" }));
      if (line.source.url) source.append(make("a", line.source.text, { href: line.source.url, rel: "noopener noreferrer" }));
      else source.append(line.source.text);
      source.append(line.source.since ? ", " + line.source.since : "");
      row.append(head, make("td", write(r), { class: "number" }),
        make("td", line.sd ? fill("{low}–{high}", { low: write(r / wide), high: write(r * wide) }) : "–", { class: "number" }), source);
    });
    const around = make("div", null, { class: "scroll", tabindex: "0", role: "region", "aria-label": T.lines });
    around.append(table);
    return around;
  }
  function hazardPart(i, h) {
    const part = make("section"), scores = D.scores[h], lines = linesOf(i, h), result = computed(lines);
    const title = D.hazards.find((x) => x.id === h).name, head = make("p"), id = "wf-" + h;
    part.append(make("h3", title));
    head.append(band(h, i), " " + fill(T.score, { score: fixed[1].format(scores.score[i] / 10) }) + ", "
      + fill(T.evidence_grade, { grade: D.grades[scores.grade[i]] }));
    const people = scores.affected[i] / 10;
    part.append(head, make("p", fill(T.interval, { p50: percent(share(h, "p50", i)), p05: percent(share(h, "p05", i)),
      p95: percent(share(h, "p95", i)), p80: percent(share(h, "p80", i)) }) + " "
      + fill(T.affected, { people: people < 5 ? T.few : plain.format(people) })));
    const why = Object.values(D.overrides)[scores.override[i]];
    if (why) part.append(make("p", fill(T.raised, { why }), { class: "gap" }));
    const rows = steps(lines, i, h);
    const words = rows.map((r) => r.line + " " + r.label).join("; ");
    const figure = make("figure"), chart = make("div", null, { class: "chart waterfall", id, role: "img", "aria-label": fill(T.waterfall, { hazard: title }) + ": " + words });
    const says = fill(T.product, { rate: percent(result.rate, 2), p0: percent(result.p0) })
      + (lines.some((l) => l.step === "evidence") ? " " + fill(T.after, { p50: percent(share(h, "p50", i)) }) : "");
    figure.append(chart, make("figcaption", says)); part.append(figure);
    const missing = lines.filter((l) => l.weight > 0.002 && L.questions[l.key]).sort((a, b) => b.weight - a.weight).slice(0, 6);
    part.append(make("h4", T.improve));
    if (missing.length) {
      const list = make("ul");
      missing.forEach((l) => list.append(make("li", L.questions[l.key])));
      part.append(list);
    } else part.append(make("p", T.nothing));
    const more = make("details"); more.append(make("summary", T.lines), lineTable(lines)); part.append(more);
    part.dataset.product = result.p50; part.dataset.written = share(h, "p50", i);
    return { part, after: () => draw("#" + id, D.charts.waterfall, { steps: rows }) };
  }
  function showSite(i) {
    const dialog = byId("site"), body = byId("site-body"), facts = make("dl");
    byId("site-title").replaceChildren(make("bdi", S.name[i] || S.id[i]));
    [["ID", S.id[i]], [T.country, name("country", S.country[i])], [T.activity, name("division", S.division[i])],
      [T.tier, D.tiers[S.tier[i]]], [T.zone, S.zone[i] < 0 ? T.unknown : name("zone", S.zone[i])],
      [T.workers, S.workers[i] === null ? T.unknown : plain.format(S.workers[i])],
      [T.migrants, S.migrants[i] === null ? T.unknown : percent(S.migrants[i] / 1000, 0)]].forEach(([label, value]) => {
      const pair = make("div"), said = make("dd"); said.append(make("bdi", value));
      pair.append(make("dt", label), said); facts.append(pair);
    });
    const hazards = D.hazards.map((x) => x.id).sort((a, b) => (b === hazard) - (a === hazard));
    const parts = hazards.map((h) => hazardPart(i, h));
    body.replaceChildren(facts, ...parts.map((p) => p.part));
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    return Promise.all(parts.map((p) => p.after()));
  }

  // -- start ----------------------------------------------------------------------------------------------------
  heads(); choices(); refresh();
  let waiting = 0;
  byId("q").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(refresh, 120); });
  byId("filters").addEventListener("change", (event) => { if (event.target.tagName === "SELECT") refresh(); });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("reset", () => setTimeout(refresh, 0));
  [["first", () => 0], ["previous", () => page - 1], ["next", () => page + 1], ["last", () => Infinity]].forEach(([id, to]) => {
    byId(id).addEventListener("click", () => { page = to(); show(); byId("list").scrollIntoView(); });
  });
  byId("close").addEventListener("click", () => byId("site").close());
  document.querySelectorAll("input[name=hazard]").forEach((input) => {
    input.addEventListener("change", () => switchHazard(input.value));
    if (input.checked && input.value !== hazard) hazard = input.value;
  });
  document.body.dataset.interactive = "1";
  window.requestAnimationFrame(() => setTimeout(drawAll, 0));
})();
