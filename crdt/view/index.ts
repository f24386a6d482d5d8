/**
 * The view the hosts of one site share, over Yjs: which updates are admitted, and what each host sends.
 * Must not carry intent or anything signed, trust a sender the link did not authenticate, or relay for others.
 * Read first: admit-update.ts, site-view.ts.
 */
export { admitUpdate, type KnownClocks, type ViewRefusal, viewFormat, viewGuards, viewLimits } from './admit-update.ts'
export { createSiteView, type SiteView, type ViewReceived, type ViewValue } from './site-view.ts'
export { hostsByClient, ownsKey, type ViewHost } from './view-hosts.ts'
