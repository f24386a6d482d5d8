import { formatSize } from '../../../base/index.ts'
import { type Report, stoodStillWords, verdictWords } from '../report.ts'
import { countWords, spanWords } from '../words.ts'
import { html, type Markup } from './markup.ts'
import { pageStyle } from './page-style.ts'
import { renderFigure, renderLegend } from './render-figure.ts'
import { renderBorders, renderLinks } from './render-links.ts'
import { renderTimeline } from './render-timeline.ts'

const tile = (value: string, words: string): Markup => html`<li class="tile"><b>${value}</b><span>${words}</span></li>`

const tilesOf = ({ numbers, record }: Report): Markup => {
  const { slowestCatchUpMs } = numbers
  return html`<ul class="tiles">${tile(
    String(numbers.cuts),
    numbers.cuts === 0
      ? 'times something was cut off'
      : `times something was cut off, at most for ${spanWords(numbers.longestCutMs)}`,
  )}${tile(
    numbers.unexplainedMs === 0 ? '0 s' : spanWords(numbers.unexplainedMs),
    'sites stood still for another reason than lack of power',
  )}${tile(
    slowestCatchUpMs === undefined ? 'nobody' : spanWords(slowestCatchUpMs),
    slowestCatchUpMs === undefined
      ? 'was behind when the way was open again'
      : 'until the slowest site had caught up, once its way was open',
  )}${tile(formatSize(numbers.bytes / Math.max(1, record.links.length)), `over an average link in ${spanWords(record.tookMs)}, images included`)}</ul>`
}

const checksOf = ({ record }: Report): Markup =>
  html`<div class="sheet"><table><thead><tr><th>invariant</th><th></th><th class="num">judged</th><th></th></tr></thead><tbody>${record.checks.map(
    ({ invariant, sentence, judged, violations }) =>
      html`<tr><td class="num">${invariant === 0 ? '' : invariant}</td><td>${sentence}${violations
        .slice(0, 20)
        .map(
          (text) => html`<br><span class="small" style="color:var(--bad)">${text}</span>`,
        )}</td><td class="num">${judged.toLocaleString('en')} ×</td><td>${
        violations.length > 0
          ? html`<span style="color:var(--bad)">broken ${violations.length} ×</span>`
          : judged === 0
            ? html`<span class="soft">had nothing to judge</span>`
            : html`<span style="color:var(--good)">kept</span>`
      }</td></tr>`,
  )}</tbody></table></div>`

const headOf = (report: Report): Markup => {
  const { record, verdict } = report
  return html`<header><h1>${record.network}</h1>
<p class="soft">${record.scenarioFile === undefined ? 'A week of outages' : record.plan}, simulated: ${countWords(record.sites.length, 'site')}, ${countWords(record.nodes, 'node')}, ${spanWords(record.tookMs)} of virtual time, seed ${record.seed}</p>
<div class="verdict ${verdict}"><span class="dot"></span><span><strong>${verdictWords(report)}</strong> ${stoodStillWords(report)}</span></div>${tilesOf(report)}</header>`
}

/** The report as one HTML file that needs nothing beside it: no network, no script. */
export const renderPage = (report: Report): string => {
  const { record } = report
  const borders = renderBorders(record)
  const body = html`<main>${headOf(report)}
<h2>What ran where, and when</h2>
<p class="soft">Each row is a site, coloured by the version it ran. The curve above says how many sites ran the version that was wanted.</p>
<div class="sheet">${renderFigure(record)}${renderLegend(record)}</div>
<h2>What happened</h2>
${renderTimeline(report)}
${borders === undefined ? undefined : html`<h2>What leaves each zone</h2>${borders}`}
<h2>What went over each link</h2>
${renderLinks(record)}
<h2>What was checked</h2>
<p class="soft">On wires, disks and engines, from outside: no node is asked whether it did well.</p>
${checksOf(report)}
<h2>Doing it again</h2>
<p>The nodes are the program of production; clocks, wires, disks and container engines are simulated. The same seed does the same things in the same order.</p>
<pre>${report.repeat}</pre>
${record.leftOut.map((text) => html`<p class="soft small">Left out: ${text}.</p>`)}
<footer>${report.madeBy}, ${record.events.toLocaleString('en')} events, trace ${record.digest.slice(0, 16)}</footer></main>`
  const policy = "default-src 'none'; style-src 'unsafe-inline'"
  const title = html`<title>${record.network}, simulated</title>`
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    `${title.markup}<style>${pageStyle}</style></head><body>`,
    body.markup,
    '</body></html>',
    '',
  ].join('\n')
}
