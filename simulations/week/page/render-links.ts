import { formatSize } from '../../../base/index.ts'
import { policyKinds } from '../../../topologies/index.ts'
import type { LinkRow, WeekRecord } from '../record.ts'
import { html, type Markup } from './markup.ts'

/** What streams carry, in words; in the order of the table. */
const kindWords: Readonly<Record<string, string>> = {
  reports: 'what runs there',
  documents: 'what is wanted',
  versions: 'signed versions',
  blob: 'images and specifications',
  join: 'who belongs here',
  upkeep: 'holding the link',
}

const nothing = html`<span class="nothing">–</span>`

const way = (arrow: string, bytes: number): Markup => (bytes === 0 ? nothing : html`${arrow} ${formatSize(bytes)}`)

const level = (link: LinkRow, kind: string): Markup => {
  if (link.withheld.includes(kind))
    return html`<td class="centre"><span class="nothing" title="nothing leaves">○</span></td>`
  if (link.summarised.includes(kind))
    return html`<td class="centre"><span title="only a summary may leave">◐</span></td>`
  return html`<td class="centre"><span title="all of it may leave">●</span></td>`
}

/** Zones and what of each kind crosses their border upwards; undefined where there is no zone. */
export const renderBorders = ({ links, zones }: WeekRecord): Markup | undefined => {
  const borders = links.filter(({ child }) => zones.some(({ path, hosts }) => path !== '/' && hosts.includes(child)))
  if (borders.length === 0) return undefined
  return html`<div class="sheet"><table><thead><tr><th>zone</th><th>towards</th><th class="num">bytes up</th><th class="num">bytes down</th>${policyKinds.map(
    (kind) => html`<th class="centre">${kind}</th>`,
  )}</tr></thead><tbody>${borders.map(
    (link) =>
      html`<tr><td class="name">${link.scope}</td><td class="name soft">${link.parent}</td><td class="num">${formatSize(link.upBytes)}</td><td class="num">${formatSize(link.downBytes)}</td>${policyKinds.map((kind) => level(link, kind))}</tr>`,
  )}</tbody></table></div>
<p class="small soft">What the policy of each zone lets out: ● all, ◐ only a summary, ○ nothing. What is kept back is not sent at all.</p>`
}

/** Bytes of every link by what they were for. */
export const renderLinks = ({ links }: WeekRecord): Markup => {
  const present = new Set(links.flatMap(({ kinds }) => kinds.map(({ kind }) => kind)))
  const known = Object.keys(kindWords).filter((kind) => present.has(kind))
  const kinds = [...known, ...[...present].filter((kind) => kindWords[kind] === undefined).toSorted()]
  const cell = (link: LinkRow, kind: string): Markup => {
    const found = link.kinds.find((one) => one.kind === kind)
    if (!found) return html`<td class="num">${nothing}</td>`
    return html`<td class="num">${way('↑', found.upBytes)}<br>${way('↓', found.downBytes)}</td>`
  }
  return html`<div class="sheet"><table><thead><tr><th>node</th><th>parent</th><th class="num">all</th>${kinds.map(
    (kind) => html`<th class="num">${kindWords[kind] ?? kind}</th>`,
  )}</tr></thead><tbody>${links.map(
    (link) =>
      html`<tr><td class="name">${link.child}</td><td class="name soft">${link.parent}</td><td class="num">↑ ${formatSize(link.upBytes)}<br>↓ ${formatSize(link.downBytes)}</td>${kinds.map((kind) => cell(link, kind))}</tr>`,
  )}</tbody></table></div>`
}
