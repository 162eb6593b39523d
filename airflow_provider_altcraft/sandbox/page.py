"""The page that shows in a browser what has arrived, and lets a person interfere."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Altcraft sandbox</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
 :root { color-scheme: light dark; --line: #8884; --mark: #2f6fed }
 body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem }
 h1 { font-size: 1.4rem; margin: 0 } h2 { font-size: 1rem; margin: 2rem 0 .4rem }
 header { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; align-items: baseline;
   border-bottom: 2px solid var(--mark) }
 table { border-collapse: collapse; width: 100% } th { text-align: left; font-weight: 600 }
 td, th { padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums }
 section { overflow-x: auto }
 .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 2.5rem }
 form { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; margin: .4rem 0 }
 input, select, button { font: inherit } .short { width: 5rem } p { margin: .4rem 0 } #refused { color: #d33 }
</style></head><body>
<header><h1>Altcraft sandbox</h1><span id="clock"></span></header>
<p>The sandbox has a clock of its own: tasks, runs and the window of deduplication follow it. Move it on, or let it run
 faster, instead of waiting.</p>
<form id="controls">
 <button type="button" data-path="advance" data-body='{"seconds": 60}'>+ 1 minute</button>
 <button type="button" data-path="advance" data-body='{"seconds": 3600}'>+ 1 hour</button>
 <button type="button" data-path="speed" data-body='{"speed": 1}'>1 × as fast</button>
 <button type="button" data-path="speed" data-body='{"speed": 100}'>100 × as fast</button>
 <button type="button" data-path="reset" data-body='{}'>Reset everything</button>
</form>
<p id="refused" role="alert"></p>
<div class="columns">
 <section><h2>Databases</h2><table id="databases"></table><h2>Mailings</h2><table id="mailings"></table></section>
 <section><h2>Campaigns</h2><table id="campaigns"></table><h2>Scenarios</h2><table id="scenarios"></table></section>
</div>
<section><h2>Faults</h2><table id="faults"></table>
 <form id="fault">
  <select id="kind" name="kind" aria-label="kind"></select>
  <input name="endpoint" value="*" aria-label="endpoint" list="endpoints"><datalist id="endpoints"></datalist>
  <label>times <input name="times" class="short" type="number" min="1" value="1"></label>
  <label>code <input name="code" class="short" type="number" value="502"></label>
  <label>seconds <input name="seconds" class="short" type="number" min="0" value="1"></label>
  <button>Add</button> <button type="button" id="clear">Remove all</button>
 </form></section>
<section><h2>Tasks</h2><table id="tasks"></table></section>
<section><h2>Latest requests</h2><table id="journal"></table></section>
<script>
const byId = (id) => document.getElementById(id);
const cell = (value) => { const td = document.createElement("td"); td.textContent = value ?? ""; return td };
function fill(id, heads, rows) {
  const table = byId(id); table.replaceChildren();
  const head = table.insertRow(); heads.forEach((name) => {
    const th = document.createElement("th"); th.textContent = name; head.append(th) });
  rows.forEach((row) => { const tr = table.insertRow(); row.forEach((value) => tr.append(cell(value))) });
}
function choices(id, names) {
  if (byId(id).childElementCount === names.length) return;
  byId(id).replaceChildren(...names.map((name) => new Option(name, name)));
}
async function send(method, path, body) {
  const answer = await fetch("/_sandbox/" + path, { method, body, headers: { "Content-Type": "application/json" } });
  byId("refused").textContent = answer.ok ? "" : (await answer.json()).error;
  await show();
}
document.querySelectorAll("[data-path]").forEach((button) => {
  button.onclick = () => send("POST", button.dataset.path, button.dataset.body) });
byId("clear").onclick = () => send("DELETE", "faults");
byId("fault").onsubmit = (event) => {
  event.preventDefault();
  const given = Object.fromEntries(new FormData(event.target));
  for (const name of ["times", "code", "seconds"]) given[name] = given[name] === "" ? null : Number(given[name]);
  for (const name of ["code", "seconds"]) if (given[name] === null) delete given[name];
  send("POST", "faults", JSON.stringify(given));
};
async function show() {
  const state = await (await fetch("/_sandbox/state")).json();
  byId("clock").textContent = state.now.slice(0, 19).replace("T", " ") + " UTC, " + state.speed + " × as fast as yours";
  choices("endpoints", ["*", ...state.endpoints]); choices("kind", state.kinds);
  fill("databases", ["id", "name", "profiles"], state.databases.map((d) => [d.id, d.name, d.profiles]));
  fill("mailings", ["id", "name", "kind", "active", "launches", "messages"],
       state.mailings.map((m) => [m.id, m.name, m.kind, m.is_active ? "yes" : "no", m.launches, m.messages]));
  fill("campaigns", ["id", "name", "state"], state.campaigns.map((c) => [c.id, c.name, c.state]));
  fill("scenarios", ["id", "name", "active", "entries"],
       state.scenarios.map((s) => [s.id, s.name, s.is_active ? "yes" : "no", s.entries]));
  fill("faults", ["kind", "endpoint", "where", "met"], state.faults.map((f) => [f.kind, f.endpoint,
         Object.keys(f.where).length ? JSON.stringify(f.where) : "", f.times ? f.met + " of " + f.times : f.met]));
  fill("tasks", ["id", "progress"], state.tasks.slice(-20).map((t) => [t.id, t.progress + " %"]));
  const journal = await (await fetch("/_sandbox/journal")).json();
  fill("journal", ["at", "endpoint", "HTTP", "error", "bytes", "Request-ID", ""],
       journal.slice(-50).reverse().map((c) => [c.at.slice(11, 19), c.endpoint, c.http_status, c.error, c.body_size,
         c.request_id, [c.replayed ? "replayed" : "", c.fault ?? ""].join(" ")]));
}
show(); setInterval(show, 2000);
</script></body></html>
"""
