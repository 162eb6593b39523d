"""The page that shows in a browser what has arrived."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Altcraft sandbox</title>
<style>
 :root { color-scheme: light dark; --line: #8884; --soft: #8888; --mark: #2f6fed; }
 body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
 h1 { font-size: 1.4rem; margin: 0 } h2 { font-size: 1rem; margin: 2rem 0 .4rem }
 header { display: flex; justify-content: space-between; align-items: baseline; border-bottom: 2px solid var(--mark) }
 table { border-collapse: collapse; width: 100% } th { text-align: left; font-weight: 500; color: var(--soft) }
 td, th { padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums }
 code { font-size: .9em } .columns { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2.5rem }
 .bad { color: #c33 } .soft { color: var(--soft) }
</style></head><body>
<header><h1>Altcraft sandbox</h1><span id="clock" class="soft"></span></header>
<div class="columns">
 <section><h2>Mailings</h2><table id="mailings"></table></section>
 <section><h2>Campaigns</h2><table id="campaigns"></table><h2>Scenarios</h2><table id="scenarios"></table></section>
</div>
<section><h2>Tasks</h2><table id="tasks"></table></section>
<section><h2>Latest requests</h2><table id="journal"></table></section>
<script>
const cell = (value) => { const td = document.createElement("td"); td.textContent = value ?? ""; return td };
function fill(id, heads, rows) {
  const table = document.getElementById(id); table.replaceChildren();
  const head = table.insertRow(); heads.forEach((name) => {
    const th = document.createElement("th"); th.textContent = name; head.append(th) });
  rows.forEach((row) => { const tr = table.insertRow(); row.forEach((value) => tr.append(cell(value))) });
}
async function show() {
  const state = await (await fetch("/_sandbox/state")).json();
  document.getElementById("clock").textContent = state.now.slice(0, 19).replace("T", " ") + " UTC";
  fill("mailings", ["id", "name", "kind", "launches", "messages"],
       state.mailings.map((m) => [m.id, m.name, m.kind, m.launches, m.messages]));
  fill("campaigns", ["id", "name", "state"], state.campaigns.map((c) => [c.id, c.name, c.state]));
  fill("scenarios", ["id", "name", "entries"], state.scenarios.map((s) => [s.id, s.name, s.entries]));
  fill("tasks", ["id", "progress"], state.tasks.slice(-20).map((t) => [t.id, t.progress + " %"]));
  const journal = await (await fetch("/_sandbox/journal")).json();
  fill("journal", ["at", "endpoint", "HTTP", "error", "bytes", "Request-ID", ""],
       journal.slice(-50).reverse().map((c) => [c.at.slice(11, 19), c.endpoint, c.http_status, c.error, c.body_size,
         c.request_id, [c.replayed ? "replayed" : "", c.fault ?? ""].join(" ")]));
}
show(); setInterval(show, 2000);
</script></body></html>
"""
