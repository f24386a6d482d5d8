/**
 * What the API answers, worked out from what a node knows: pure functions from knowledge to views.
 * Must not ask anybody or keep anything. Read first: status-views.ts, place-views.ts.
 */
export { hostViews, runtimeView, siteViews, treeView } from './place-views.ts'
export { applicationViews, deploymentViews, instanceViews } from './status-views.ts'
