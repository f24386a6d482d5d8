/**
 * The raw Ed25519 public key of the node at the other end, as 64 hex digits. The link proved it; what the key may do is
 * decided above.
 */
export type PeerKey = string

/**
 * Milliseconds of silence after which an end gives a sign of life, and after which the other takes the link for lost: so
 * late may a sign be as the pause before it is long.
 */
export const heartbeatMs = 10_000
export const silentBeats = 2
export const linkSilenceMs = silentBeats * heartbeatMs
/**
 * So many beats an end waits that was called: nothing is gained when it hangs up on a caller that is busy or far away, and the
 * call that follows costs both more than all that the link carries. Who called looks for another way sooner.
 */
export const patientBeats = 6

/** What goes first when a link is busy: control before events before bulk. */
export const priorities = ['control', 'events', 'bulk'] as const
export type Priority = (typeof priorities)[number]

/** One direction-less conversation on a link: whole messages, in order, both ways, until closed. */
export interface MeshStream {
  /** What the opener wants it for, like `intents` or `request`. */
  readonly purpose: string
  /** As the opener chose it; both ends send by it. */
  readonly priority: Priority
  /**
   * Sends one message of at most 1 MiB; resolves when the other end may take more (back-pressure).
   * @throws {MeshError} `stream-closed` when either end closed it or the link broke.
   */
  send(message: Uint8Array): Promise<void>
  /** Messages as they come; ends when the other end closed. @throws {MeshError} `stream-aborted`, `link-lost`. */
  readonly messages: AsyncIterable<Uint8Array>
  /** Says that nothing more will be sent; the other end may still send. */
  close(): Promise<void>
  /** Ends both directions at once. */
  abort(reason: string): void
}

/** A live connection to one peer. Streams open in either direction. */
export interface MeshLink {
  readonly peer: PeerKey
  /** How long ago something of the peer came, if only a sign of life, in milliseconds. */
  heardAgeMs(): number
  /**
   * @param options.priority what the messages of this stream, both ways, give way to. @default 'control'
   * @throws {MeshError} `link-lost` when the link is gone.
   */
  openStream(purpose: string, options?: { readonly priority?: Priority }): Promise<MeshStream>
  /** Resolves, with the reason, when the link is gone. */
  readonly closed: Promise<string>
  close(): Promise<void>
}

/** The port to the network between nodes. Edges dial out; nobody but a sibling dials an edge. */
export interface Mesh {
  /** Starts to accept links, where the node has an address to listen at. @throws {MeshError} `address-in-use`. */
  start(): Promise<void>
  /** Ends all links, after what was sent on them. Nothing stays open. */
  stop(): Promise<void>
  /** Where others reach this node, with the port it really has; empty while it is not started and for one that only dials. */
  addresses(): readonly string[]
  /** @throws {MeshError} `unreachable` when no link could be made within `timeoutMs`. */
  dial(address: string, options: { timeoutMs: number; signal?: AbortSignal }): Promise<MeshLink>
  /** Called for each link a peer made to us. One handler. */
  onLink(accept: (link: MeshLink) => void): void
  /** Called for each stream a peer opened on `link`. One handler per link, set before the link is used. */
  onStream(link: MeshLink, accept: (stream: MeshStream) => void): void
}
