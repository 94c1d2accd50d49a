"""How the page of an estate looks, beside what all pages have."""

STYLE = """
.top { display: flex; flex-wrap: wrap; gap: .5rem 2rem; align-items: flex-end; justify-content: space-between; }
.top p { margin: 0; }
.eyebrow { font-size: .75rem; font-weight: 600; letter-spacing: .08em; text-transform: uppercase; color: var(--soft); }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 1rem 0; padding-bottom: .75rem;
  border-bottom: 1px solid var(--line); font-size: .875rem; }
nav a { color: var(--soft); text-decoration: none; } nav a:hover, nav a:focus { color: var(--ink);
  text-decoration: underline; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: .75rem; }
.tile { background: var(--card); border: 1px solid var(--line); border-left: .25rem solid var(--line);
  border-radius: .625rem; padding: .75rem 1rem; }
.tile.good { border-left-color: var(--good); } .tile.bad { border-left-color: var(--bad); }
.tile.warn { border-left-color: var(--warn); } .tile, .tile.good, .tile.bad, .tile.warn { color: var(--ink); }
.tile .name { font-size: .8125rem; color: var(--soft); margin: 0; }
.tile .figure { font-size: 1.375rem; font-weight: 650; letter-spacing: -.02em; line-height: 1.3; margin: 0;
  overflow-wrap: anywhere; }
.tile.good .figure { color: var(--good); } .tile.bad .figure { color: var(--bad); }
.tile.warn .figure { color: var(--warn); }
.tile .soft { margin: 0; font-size: .8125rem; }
.pill { display: inline-block; border-radius: 1rem; padding: .0625rem .5625rem; font: 600 .75rem/1.4 inherit;
  font-size: .75rem; font-weight: 600; line-height: 1.45; white-space: nowrap; background: var(--calm-band);
  color: var(--calm); }
.pill.good { background: var(--good-band); color: var(--good); } .pill.bad { background: var(--bad-band);
  color: var(--bad); } .pill.warn { background: var(--warn-band); color: var(--warn); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: .75rem;
  margin: .75rem 0; align-items: start; }
.card { background: var(--card); border: 1px solid var(--line); border-top: .25rem solid var(--side, var(--line));
  border-radius: .625rem; padding: .875rem 1.125rem 1rem; break-inside: avoid; }
.card header { display: flex; flex-wrap: wrap; gap: .375rem .75rem; align-items: center;
  justify-content: space-between; }
.card h3 { font-size: 1.125rem; color: var(--side); }
.about { display: flex; flex-wrap: wrap; gap: .25rem .375rem; margin: .375rem 0 .75rem; }
dl { display: grid; grid-template-columns: 6.25rem minmax(0, 1fr); gap: .4375rem .75rem; margin: .75rem 0 0; }
dt { color: var(--soft); font-size: .875rem; } dd { margin: 0; overflow-wrap: anywhere; font-size: .9375rem; }
dd .soft { display: block; } dd code.soft { font-size: .75rem; }
.s0 { --side: var(--side-0); } .s1 { --side: var(--side-1); } .s2 { --side: var(--side-2); }
.s3 { --side: var(--side-3); } .s4 { --side: var(--side-4); } .s5 { --side: var(--side-5); }
.env { color: var(--side); font-weight: 600; }
.problem { border: 1px solid var(--bad); background: var(--bad-band); border-radius: .5rem; padding: .5rem .75rem;
  margin: .75rem 0 0; font-size: .875rem; overflow-wrap: anywhere; white-space: pre-line; }
.problem.warn { border-color: var(--warn); background: var(--warn-band); color: var(--ink); }
.problem b { display: block; } .problem .mend { display: block; margin-top: .25rem; color: var(--soft); }
svg { display: block; } svg.shares { width: 100%; height: .5rem; border-radius: .25rem; overflow: hidden; }
.share-0 { fill: var(--side); opacity: 1; } .share-1 { fill: var(--side); opacity: .72; }
.share-2 { fill: var(--side); opacity: .52; } .share-3 { fill: var(--side); opacity: .38; }
.share-4 { fill: var(--side); opacity: .27; } .share-5 { fill: var(--soft); opacity: .25; }
.legend { display: flex; flex-wrap: wrap; gap: .125rem .875rem; margin: .375rem 0 0; padding: 0; list-style: none;
  font-size: .8125rem; color: var(--soft); } .legend b { color: var(--ink); font-weight: 600; }
div.trend { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: center; margin-top: .375rem; }
svg.trend { width: 10rem; height: 2rem; flex: none; } svg.trend polyline { stroke: var(--warn); stroke-width: 2;
  vector-effect: non-scaling-stroke; stroke-linejoin: round; }
svg.activity { width: 100%; height: 2.75rem; } svg.activity .done { fill: var(--side); }
svg.activity .failed { fill: var(--bad); } svg.activity .ground { stroke: var(--line); }
.scale { display: flex; justify-content: space-between; padding: 0 1.125rem .5rem; font-size: .75rem; }
.strip { padding: .75rem 1.125rem .375rem; } .strip + .strip { border-top: 1px solid var(--line); }
.strip p { display: flex; justify-content: space-between; margin: 0 0 .25rem; }
.block { padding: .75rem 1.125rem; } .block + .block, table + .block { border-top: 1px solid var(--line); }
.block header { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: center;
  justify-content: space-between; } .block p { margin: 0; }
.panel > .remark { padding: .5rem .625rem; margin: 0; border-top: 1px solid var(--line); }
.changes { margin: .5rem 0 0; padding: 0; list-style: none; } .changes > li { padding: .5rem 0;
  border-top: 1px solid var(--line); } .changes ul { margin: .25rem 0 0; padding-left: 1.125rem; }
.changes del { color: var(--bad); text-decoration: none; } .changes ins { color: var(--good); text-decoration: none; }
ul.block { margin: 0; padding-left: 2.25rem; } * + ul.block { border-top: 1px solid var(--line); }
h3.block { border-bottom: 1px solid var(--line); } h3.block.bad { color: var(--bad); }
.block + table { border-top: 1px solid var(--line); }
table + details, .remark + details { border-top: 1px solid var(--line); }
details summary { cursor: pointer; padding: .625rem 1.125rem; font-weight: 600; }
details > table { border-top: 1px solid var(--line); }
.panel > table td:first-child, .panel > table th:first-child { padding-left: 1.125rem; }
.values td:not(:first-child) { font: .8125rem/1.5rem var(--mono); }
.values td .soft, .values td[data-side]::before { font-family: system-ui, sans-serif; font-size: .8125rem; }
.releases { table-layout: auto; } .releases td { font-size: .875rem; } tr.same td { color: var(--soft); }
.history td { font-size: .875rem; } .history th:nth-child(1) { width: 15%; }
.history th:nth-child(2) { width: 12%; }
.history th:nth-child(3) { width: 9%; } .history th:nth-child(4) { width: 26%; }
.none { padding: .75rem 1.125rem; margin: 0; color: var(--soft); }
.subject { display: block; } footer { margin-top: 3rem; color: var(--soft); font-size: .8125rem; }
@media (max-width: 40rem) { dl { grid-template-columns: 5.25rem minmax(0, 1fr); }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .5rem; } .tile { padding: .625rem .75rem; }
  .tile:last-child:nth-child(odd) { grid-column: 1 / -1; }
  .tile .figure { font-size: 1.125rem; } .history td { display: inline-block;
  padding: .0625rem .375rem .0625rem .75rem; }
  .history td + td { padding-left: .25rem; } .history td.what, .history td.why { display: block;
  padding-left: .75rem; } .releases tr { display: grid; grid-template-columns: 1fr auto; }
  .releases td:nth-child(5) { grid-area: 1 / 2; padding-right: .75rem; }
  .values tr { display: grid; grid-template-columns: 1fr 1fr; }
  .values td:first-child { grid-column: 1 / -1; } .values td[data-side]::before { display: block; font-size: .75rem; }
  .panel > table td:first-child { padding-left: .75rem; } .releases td { padding-left: .75rem; } }
@media print { nav { display: none; } .tiles { margin-top: 1rem; grid-template-columns: repeat(5, 1fr); }
  .cards { grid-template-columns: repeat(2, 1fr); } .tile, .card { break-inside: avoid; }
  section { break-inside: auto; } }
""".strip()
