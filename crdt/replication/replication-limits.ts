/** Bounds of one session, whatever its peer does. */
export const replicationLimits = {
  /** What is sent in one message, in bytes; a link takes 1 MiB. One envelope is at most half of it. */
  messageBytes: 512 * 1024,
  /** Hashes of one document in one message; a document of more is compared in parts. */
  hashes: 8_192,
  /** Ids of records in one message. */
  recordIds: 8_192,
  /** What waits to be sent to a slow peer. When it is full all of it is dropped, and the two meet again once there is room. */
  outboxBytes: 4 * 2 ** 20,
  /** Messages answered at once that make this end hash, or read its disk. */
  answers: 64,
  /** One more answer after so long. */
  answerEveryMs: 1_000,
  /** Envelopes, records and the like refused at once before the session ends. */
  refusals: 1_000,
  refusalEveryMs: 100,
  /**
   * Two ends meet anew after so long, whatever they heard meanwhile: what may pass can change without a change of a lane, by a
   * certificate, a date or a policy, and nothing may wait for the next change or link to find that out.
   */
  meetEveryMs: 600_000,
  /** Lines of the log: one for each peer and code. */
  notedLines: 4_096,
} as const
export type ReplicationLimits = { readonly [Name in keyof typeof replicationLimits]: number }
