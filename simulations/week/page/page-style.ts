/** How many versions have a colour of their own before they begin anew. */
export const versionColours = 6

/** Colours by what they mean; the second column is for a dark screen. */
const colours: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  paper: ['#fbfaf8', '#15181b'],
  card: ['#ffffff', '#1c2024'],
  ink: ['#22292f', '#dfe3e6'],
  soft: ['#66717b', '#939ea8'],
  line: ['#e4e2dd', '#2e343a'],
  rail: ['#f1efeb', '#24292e'],
  good: ['#3f8f6b', '#6cc29a'],
  bad: ['#b8433a', '#e8796f'],
  unheard: ['#c98a2b', '#d9a24c'],
  clock: ['#8d5a97', '#c493ce'],
  v0: ['#a9c3dc', '#476a8c'],
  v1: ['#8fc7b5', '#3d7d6b'],
  v2: ['#ecd08a', '#8f7736'],
  v3: ['#c7b3df', '#6d5a8c'],
  v4: ['#e6aeb0', '#8f5558'],
  v5: ['#bfcf8e', '#67773a'],
}

const variables = (shade: 0 | 1): string =>
  Object.entries(colours)
    .map(([name, shades]) => `--${name}:${shades[shade]}`)
    .join(';')

const versions = Array.from(
  { length: versionColours },
  (_, at) => `.v${at}{fill:var(--v${at});background:var(--v${at})}`,
)

/** The style sheet of a report. */
export const pageStyle = `
:root{color-scheme:light dark;${variables(0)}}
@media (prefers-color-scheme:dark){:root{${variables(1)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1180px;margin:0 auto;padding:44px 28px 72px}
h1{font-size:34px;line-height:1.15;font-weight:600;letter-spacing:-.02em;margin:0;overflow-wrap:anywhere}
h2{font-size:19px;font-weight:600;letter-spacing:-.01em;margin:56px 0 4px}
h3{font-size:14px;font-weight:600;margin:26px 0 6px}
p{margin:6px 0;max-width:76ch}
.soft{color:var(--soft)}
.small{font-size:13px}
.verdict{display:flex;align-items:baseline;gap:10px;font-size:19px;margin:22px 0 6px}
.dot{flex:none;width:11px;height:11px;border-radius:50%;background:var(--good)}
.broken .dot{background:var(--bad)}
.broken strong{color:var(--bad)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:14px;margin:26px 0 0;padding:0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px 18px;list-style:none}
.tile b{display:block;font-size:27px;line-height:1.2;font-weight:600;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:13.5px}
.sheet{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px 18px;margin-top:14px;overflow-x:auto}
.legend{display:flex;flex-wrap:wrap;gap:6px 20px;margin:12px 0 0;padding:0;list-style:none;font-size:13px;color:var(--soft)}
.legend li{display:flex;align-items:center;gap:7px}
.legend svg{flex:none}
svg{display:block}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--ink)}
svg text.soft{fill:var(--soft);font-size:11px}
svg text.zone{font-weight:600}
svg text.end{text-anchor:end;font-variant-numeric:tabular-nums}
svg text.mid{text-anchor:middle}
.figure{width:100%;min-width:820px;height:auto}
.rail{fill:var(--rail)}
.guide{stroke:var(--line);fill:none}
.tree{stroke:var(--soft);stroke-opacity:.45;fill:none}
${versions.join('\n')}
.half{fill-opacity:.45}
.cut{fill:url(#hatch);stroke:var(--ink);stroke-opacity:.5;stroke-width:.8}
.hatch{stroke:var(--ink);stroke-opacity:.5;stroke-width:1.1}
.power{fill:var(--ink);fill-opacity:.16;stroke:var(--ink);stroke-opacity:.55;stroke-width:.8}
.clock{fill:none;stroke:var(--clock);stroke-width:1.2;stroke-dasharray:3 2}
.label{fill:none;stroke:var(--ink);stroke-opacity:.55;stroke-width:.8}
.guest{fill:var(--ink);fill-opacity:.62}
.unheard{fill:var(--unheard)}
.flag{stroke:var(--ink);stroke-opacity:.55;stroke-width:1}
.flagtext{font-weight:600}
.curve{fill:none;stroke:var(--good);stroke-width:1.8;stroke-linejoin:round}
.area{fill:var(--good);fill-opacity:.13}
table{border-collapse:collapse;width:100%;font-size:13px;line-height:1.45;font-variant-numeric:tabular-nums}
th{font-weight:500;color:var(--soft);text-align:left;vertical-align:bottom;padding:5px 8px;border-bottom:1px solid var(--line)}
td{padding:5px 8px;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
td.num{white-space:nowrap}
.num{text-align:right}
.centre{text-align:center}
.name{white-space:nowrap}
.nothing{color:var(--soft);opacity:.55}
.days{margin:0;padding:0;list-style:none}
.entry{display:grid;grid-template-columns:118px 1fr;gap:2px 18px;padding:7px 0;border-bottom:1px solid var(--line);break-inside:avoid}
.entry:last-child{border-bottom:0}
.entry time{color:var(--soft);font-size:13px;font-variant-numeric:tabular-nums;padding-top:1px}
.entry p{margin:0}
.entry .seen{color:var(--soft);font-size:14px}
.mark{display:inline-block;width:8px;height:8px;border-radius:2px;margin-right:9px;background:var(--soft);vertical-align:1px}
.mark.change{border-radius:50%;background:var(--good)}
.mark.cutmark{background:repeating-linear-gradient(45deg,var(--ink) 0 1px,transparent 1px 3px);border:1px solid var(--soft)}
.mark.clockmark{background:none;border:1.5px dashed var(--clock);border-radius:50%}
code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace}
pre{background:var(--rail);border-radius:8px;padding:12px 14px;overflow-x:auto;margin:10px 0;white-space:pre-wrap;overflow-wrap:anywhere}
footer{margin-top:52px;padding-top:16px;border-top:1px solid var(--line);color:var(--soft);font-size:13px}
@media (max-width:640px){main{padding:26px 16px 48px}.entry{grid-template-columns:1fr}}
@media print{
:root{${variables(0)};--paper:#fff}
body{font-size:11px;print-color-adjust:exact;-webkit-print-color-adjust:exact}
main{max-width:none;padding:0 2px}
h1{font-size:24px}
.verdict{font-size:14px;margin-top:12px}
.tiles{grid-template-columns:repeat(4,1fr);gap:8px;margin-top:14px}
.tile b{font-size:18px}
.tile span,.small,.legend,.entry .seen,.entry time{font-size:10px}
.legend{gap:3px 14px}
.entry{padding:4px 0}
h2{break-after:avoid;margin-top:22px;font-size:15px}
h3{break-after:avoid}
.sheet,.tile{border-radius:0;padding:8px 10px}
.sheet{overflow:visible}
.figure{min-width:0}
table{font-size:9.5px}
td,th{padding:2px 5px}
tr{break-inside:avoid}
@page{margin:14mm}
}
`
