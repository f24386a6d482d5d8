/**
 * The links of a node to its parent, its children and the other aggregators of its zone: joining, the streams and what they are for, reconnection.
 * Must not decide who is admitted, what is true of a document, or what a question may be told: whoever wires it does.
 * Read first: uplink.ts, downlinks.ts.
 */
export { type Admission, createDownlinks, type Downlinks, type LinkedChild } from './downlinks.ts'
export { createFellows, type Fellows } from './fellows.ts'
export { answer, ask, type LinkAnswer, nextDocument, readerOf, sendDocument } from './link-messages.ts'
export { hostReportEveryMs } from './report-rest.ts'
export { createUplink, type Joined, type Uplink } from './uplink.ts'
