/**
 * What the API answers, worked out from what a node knows: pure functions from knowledge to views.
 * Must not ask anybody or keep anything. Read first: status-views.ts, place-views.ts.
 */
export { siteDiffView } from './diff-view.ts'
export { explainView } from './explain-view.ts'
export { nodeView } from './node-view.ts'
export { hostViews, parentText, siteViews, treeView } from './place-views.ts'
export { applicationViews, conflictNote, deploymentViews, instanceViews, withConflicts } from './status-views.ts'
export { unknownSite } from './unknown-site.ts'
export { borders, borderText, reportBorder, silentZones, type ZoneKnowledge, zoneViews } from './zone-views.ts'
