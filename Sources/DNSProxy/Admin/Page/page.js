// The page of dnsproxyd: shows what server-sent events tell once a second. Everything that comes from the daemon may have
// been chosen by a stranger (anybody can ask for any name), so it becomes text and never markup.
"use strict";

const SPAN = 300; // seconds in the charts
const SILENCE = 5; // seconds without an event after which the daemon is taken to be lost

const byId = (id) => document.getElementById(id);

// --- Figures for people ---

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

// A rate or count: small ones keep a digit behind the point, so that one in ten seconds is not nothing.
function amount(value) {
  const rounded = Math.round(value * 10) / 10;
  return rounded < 10 && rounded % 1 !== 0 ? rounded.toFixed(1) : grouped.format(value);
}

// A part of a whole in percent; only all is 100, and only nothing is 0.
function percent(part) {
  if (part === undefined || part === null) return "–";
  if (part >= 1) return "100";
  if (part > 0.99) return Math.min(part * 100, 99.9).toFixed(1);
  return part > 0 && part < 0.01 ? "<1" : String(Math.floor(part * 100));
}

// Seconds of a response, as a number and its unit.
function duration(seconds) {
  if (seconds === undefined || seconds === null) return ["–", ""];
  if (seconds < 0.001) return [String(Math.max(1, Math.round(seconds * 1e6))), "µs"];
  if (seconds < 1) return [seconds < 0.01 ? (seconds * 1e3).toFixed(1) : String(Math.round(seconds * 1e3)), "ms"];
  return [seconds.toFixed(1), "s"];
}

// How long something has lasted: its two largest units.
function age(seconds) {
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  let rest = Math.max(0, Math.floor(seconds));
  const first = units.findIndex(([, size]) => rest >= size);
  if (first < 0) return "0 s";
  return units.slice(first, first + 2).map(([name, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? `${count} ${name}` : "";
  }).filter(Boolean).join(" ");
}

function bytes(count) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) { count /= 1024; unit += 1; }
  return `${unit > 0 && count < 10 ? count.toFixed(1) : Math.round(count)} ${units[unit]}`;
}

const plural = (count, one, many) => `${grouped.format(count)} ${count === 1 ? one : many}`;

// --- Writing only what has changed, so that a selection survives the next second ---

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Makes the children of `parent` as many as there are `values`, of kind `tag`, and hands out each pair.
function each(parent, tag, values, body) {
  while (parent.children.length > values.length) parent.lastElementChild.remove();
  values.forEach((value, index) => {
    body(parent.children[index] ?? parent.appendChild(document.createElement(tag)), value);
  });
  if (values.length === 0 && parent.firstChild) parent.replaceChildren();
}

// Fills a table. A cell is a text, or an object with `text`, `kind` (classes) and `hint` (said when pointed at).
function fill(table, rows) {
  const titles = [...table.tHead.rows[0].cells];
  each(table.tBodies[0], "tr", rows, (row, cells) => {
    each(row, "td", cells, (cell, value) => {
      const { text, kind = "", hint = "" } = typeof value === "string" ? { text: value } : value;
      const title = titles[cell.cellIndex];
      const classes = `${title.className} ${kind}`.trim();
      setText(cell, text);
      if (cell.className !== classes) cell.className = classes;
      if (cell.title !== hint) cell.title = hint;
      if (!cell.dataset.title) cell.dataset.title = title.textContent;
    });
  });
}

// --- Charts ---

const SVG = "http://www.w3.org/2000/svg";

// A chart of `series` (key, colour class, name) over the last five minutes, one above the other.
function makeChart(section, series) {
  const svg = section.querySelector("svg");
  const line = svg.appendChild(document.createElementNS(SVG, "line"));
  for (const [name, value] of [["x1", 0], ["x2", SPAN], ["y1", 50], ["y2", 50]]) line.setAttribute(name, value);
  const paths = series.map(({ kind }) => {
    const path = svg.appendChild(document.createElementNS(SVG, "path"));
    path.setAttribute("class", kind);
    return path;
  });
  const entries = series.map(({ kind, name }) => {
    const entry = section.querySelector(".legend").appendChild(document.createElement("li"));
    entry.appendChild(document.createElement("i")).className = kind;
    entry.append(`${name} `, document.createElement("b"));
    return entry.querySelector("b");
  });
  return (samples, now) => {
    const sum = (sample) => series.reduce((total, { key }) => total + sample[key], 0);
    const most = niceLimit(Math.max(0, ...samples.map(sum)));
    // From the lowest area up; each ends where the one above it begins.
    const floor = samples.map(() => 0);
    series.forEach(({ key }, index) => {
      const lower = floor.slice();
      samples.forEach((sample, place) => { floor[place] += sample[key]; });
      paths[index].setAttribute("d", area(samples, lower, floor, most, now));
    });
    const last = samples.at(-1);
    series.forEach(({ key }, index) => setText(entries[index], amount(last ? last[key] : 0)));
    setText(section.querySelector(".most"), `${amount(most)}/s`);
    const parts = series.map(({ key, name }) => `${name} ${amount(last ? last[key] : 0)}`).join(", ");
    const title = section.querySelector("h2").textContent;
    svg.setAttribute("aria-label", `${title}: now ${parts}; at most ${amount(Math.max(0, ...samples.map(sum)))} in five minutes`);
  };
}

// The area between two lines; where there were no samples for a while there is none.
function area(samples, lower, upper, most, now) {
  const x = (sample) => (SPAN - (now - sample.at)).toFixed(2);
  const y = (value) => (100 - (value / most) * 96).toFixed(2);
  let path = "";
  let start = 0;
  for (let place = 0; place < samples.length; place += 1) {
    const isEnd = place === samples.length - 1 || samples[place + 1].at - samples[place].at > 3;
    if (!isEnd) continue;
    if (upper.slice(start, place + 1).some((value, index) => value > lower[start + index])) {
      const there = samples.slice(start, place + 1).map((sample, index) => `${x(sample)} ${y(upper[start + index])}`);
      const back = samples.slice(start, place + 1).map((sample, index) => `${x(sample)} ${y(lower[start + index])}`);
      path += `M${there.join("L")}L${back.reverse().join("L")}Z`;
    }
    start = place + 1;
  }
  return path;
}

// The next number above `value` that reads well.
function niceLimit(value) {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((limit) => limit >= value);
}

const charts = [
  makeChart(byId("answered-chart"), [
    { key: "cache", kind: "cache", name: "from the cache" },
    { key: "resolved", kind: "resolved", name: "by an upstream" },
    { key: "local", kind: "local", name: "local records" },
  ]),
  makeChart(byId("refused-chart"), [
    { key: "denied", kind: "denied", name: "denied" },
    { key: "audited", kind: "audited", name: "let pass by audit" },
    { key: "failed", kind: "failed", name: "failed" },
    { key: "rejected", kind: "local", name: "malformed or dropped" },
  ]),
];

// --- What is known ---

let samples = [];
let state = null;
let heardAt = performance.now();
let isTurnedAway = false;

// What an engineer should look at although the daemon serves, one sentence each.
function concerns() {
  const list = [];
  const down = state.upstreams.filter((upstream) => !upstream.isUp);
  if (down.length > 0) {
    list.push(`${down.length} of ${plural(state.upstreams.length, "upstream does", "upstreams do")} not answer.`);
  }
  if (state.figures.failed > Math.max(0.5, state.figures.queries * 0.01)) {
    list.push(`${amount(state.figures.failed)} queries a second fail.`);
  }
  if (state.policy.errors > 0) {
    list.push(`The last reload was refused (${plural(state.policy.errors, "error", "errors")}); the policy before is in force.`);
  }
  const behind = state.subscribers.filter((subscriber) => subscriber.eventsBehind > 1000);
  if (behind.length > 0) list.push(`${plural(behind.length, "subscriber is", "subscribers are")} more than 1,000 changes behind.`);
  return list;
}

function sentence() {
  const silent = Math.floor((performance.now() - heardAt) / 1000);
  if (silent >= SILENCE) {
    return ["lost", isTurnedAway
      ? `No data for ${silent} s: too many pages are open; this one tries again.`
      : `No data for ${silent} s: connection to the daemon lost.`];
  }
  if (!state) return ["waiting", "Waiting for the daemon."];
  if (state.notReady.length > 0) return ["unready", `Not ready: ${state.notReady.join("; ")}.`];
  const { queries, cacheShare, denied } = state.figures;
  const kind = concerns().length > 0 ? "concerned" : "serving";
  if (queries === 0) return [kind, "Serving. No queries at the moment."];
  const parts = [`${amount(queries)} queries/s`];
  if (cacheShare !== undefined && cacheShare !== null) parts.push(`${percent(cacheShare)} % from the cache`);
  parts.push(`${denied > 0 ? amount(denied) : "none"} denied${denied > 0 ? "/s" : ""}`);
  return [kind, `Serving. ${parts.join(", ")}.`];
}

function showSentence() {
  const [kind, text] = sentence();
  setText(byId("sentence"), text);
  const list = kind === "concerned" ? concerns() : [];
  each(byId("concerns"), "li", list, setText);
  byId("concerns").hidden = list.length === 0;
  if (document.body.dataset.state !== kind) {
    document.body.dataset.state = kind;
    setText(byId("announcement"), [text, ...list].join(" "));
  }
  const name = state ? ` – ${state.host}` : "";
  const title = `${{ serving: "", concerned: "! ", unready: "✗ ", lost: "✗ ", waiting: "" }[kind]}dnsproxyd${name}`;
  if (document.title !== title) document.title = title;
}

function showState() {
  const { figures, totals, policy, upstreams, subscribers, mappings, denials } = state;
  const now = state.sample.at;
  setText(byId("host"), state.host);
  setText(byId("about"), `version ${state.version}, up ${age(now - state.started)}, ${grouped.format(totals.queries)} queries, `
    + `${grouped.format(totals.denied)} denied, ${grouped.format(totals.failed)} failed`);
  setText(byId("queries"), amount(figures.queries));
  setText(byId("ratio"), percent(figures.cacheShare));
  for (const key of ["denied", "failed"]) {
    setText(byId(key), amount(figures[key]));
    byId(key).closest("div").classList.toggle("some", figures[key] > 0);
  }
  for (const [id, value] of [["p50", figures.median], ["p99", figures.p99]]) {
    const [number, unit] = duration(value);
    setText(byId(id), number);
    setText(byId(`${id}-unit`), unit);
  }

  const span = denials.since ? `in the last ${age(now - denials.since)}` : "";
  setText(byId("denials-span"), denials.isComplete ? span : `${span}, not all of them counted`);
  setText(byId("denials").querySelector(".empty"), denials.since ? "Nothing was denied."
    : "Not known: flows are switched off.");
  fill(byId("denials").querySelector("table"), denials.names.map((denial) => [
    { text: denial.name, kind: "name" },
    { text: `${denial.identity || "an identity that is gone"} (${denial.client})` },
    denial.hint ? `${denial.reason}; ${denial.hint}` : denial.reason,
    grouped.format(denial.count), { text: `${age(now - denial.last)} ago`, kind: "time" },
  ]));

  fill(byId("upstreams").querySelector("table"), upstreams.map((upstream) => [
    { text: upstream.server, kind: "name" },
    upstream.domains.length > 0 ? upstream.domains.join(" ") : "all other names",
    upstream.isUp ? { text: upstream.problem ? `answers; ${upstream.problem}` : "answers", kind: "good" }
      : { text: upstream.problem ? `down: ${upstream.problem}` : "does not answer", kind: "bad" },
    upstream.roundTrip === undefined || upstream.roundTrip === null ? "–" : duration(upstream.roundTrip).join(" "),
  ]));
  fill(byId("subscribers").querySelector("table"), subscribers.map((subscriber) => [
    `${subscriber.number}: process ${subscriber.pid || "unseen"}, user ${subscriber.uid}${subscriber.selects ? ", some identities" : ""}`,
    subscriber.acknowledges ? "yes" : "no, it watches",
    { text: grouped.format(subscriber.eventsBehind), kind: subscriber.eventsBehind > 1000 ? "bad" : "" },
    { text: age(now - subscriber.connected), kind: "time" },
  ]));
  setText(byId("mappings-total"), `${plural(mappings.names, "name", "names")}, `
    + `${plural(mappings.addresses, "address", "addresses")}, ${plural(mappings.identities, "identity", "identities")}`);
  setText(byId("policy"), `Policy ${policy.generation} of ${age(now - policy.loaded)} ago: enforcement ${policy.enforcement}, `
    + `${plural(policy.policies, "document", "documents")}, ${plural(policy.identities, "identity", "identities")}. `
    + `Cache: ${bytes(state.cacheBytes)} of ${bytes(state.cacheCapacity)}. ${plural(totals.waiting, "query waits", "queries wait")}.`);
}

function showCharts() {
  const now = samples.at(-1)?.at ?? 0;
  samples = samples.filter((sample) => now - sample.at < SPAN).sort((left, right) => left.at - right.at);
  for (const chart of charts) chart(samples, now);
}

// --- Hearing of it ---

function listen() {
  const source = new EventSource("v1/events");
  source.addEventListener("history", (event) => {
    samples = JSON.parse(event.data);
    showCharts();
  });
  source.addEventListener("state", (event) => {
    state = JSON.parse(event.data);
    heardAt = performance.now();
    isTurnedAway = false;
    samples.push(state.sample);
    showState();
    showCharts();
    showSentence();
  });
  source.addEventListener("error", () => {
    // A connection that breaks is opened again by the browser, one that is refused by an answer is not.
    if (source.readyState !== EventSource.CLOSED) return;
    isTurnedAway = true;
    setTimeout(listen, 3000);
  });
}

// --- Searching ---

let searchNumber = 0;

async function search() {
  searchNumber += 1;
  const number = searchNumber;
  const pattern = byId("pattern").value.trim();
  const found = byId("found");
  let answer;
  try {
    const response = await fetch(`v1/mappings/search?pattern=${encodeURIComponent(pattern)}`);
    answer = await response.json();
  } catch {
    answer = { error: "the daemon does not answer" };
  }
  if (number !== searchNumber) return; // a later search is on its way
  found.classList.toggle("bad", answer.error !== undefined);
  if (answer.error !== undefined) {
    setText(found, answer.error);
    return;
  }
  const shown = new Set(answer.first.map((mapping) => `${mapping["endpoint-id"]} ${mapping.fqdn}`)).size;
  setText(found, plural(answer.count, "mapping", "mappings")
    + (shown < answer.count ? `, ${grouped.format(shown)} of them here` : "")
    + (answer.count === 0 && pattern !== "" && !pattern.includes("*") ? "; * stands for part of a label, **. in front for any labels" : ""));
  fill(byId("mappings").querySelector("table"), answer.first.map((mapping) => [
    { text: mapping.fqdn, kind: "name" }, mapping.endpoint || `${mapping["endpoint-id"]} (in no document)`,
    { text: mapping.ips.join(" "), kind: "name" }, String(mapping.ttl),
    { text: mapping["expiration-time"].replace("T", " ").replace(/\.\d+Z$/, " UTC"), kind: "time" },
  ]));
}

let typing;
byId("pattern").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(search, 300);
});
document.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  search();
});

listen();
search();
setInterval(showSentence, 1000);
