/** The name of a node in its tree, as the other end of a link knows it. */
export type PeerName = string

/** One direction-less conversation on a link: whole messages, in order, both ways, until closed. */
export interface MeshStream {
  /** What the opener wants it for, like `intents` or `request`. */
  readonly purpose: string
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
  readonly peer: PeerName
  openStream(purpose: string): Promise<MeshStream>
  /** Resolves, with the reason, when the link is gone. */
  readonly closed: Promise<string>
  close(): Promise<void>
}

/** The port to the network between nodes. Edges dial out; nobody dials an edge. */
export interface Mesh {
  /** Starts to accept links, where the node has an address to listen at. @throws {MeshError} `address-in-use`. */
  start(): Promise<void>
  stop(): Promise<void>
  /** @throws {MeshError} `unreachable` when no link could be made within `timeoutMs`. */
  dial(address: string, options: { timeoutMs: number; signal?: AbortSignal }): Promise<MeshLink>
  /** Called for each link a peer made to us. One handler. */
  onLink(accept: (link: MeshLink) => void): void
  /** Called for each stream a peer opened on `link`. One handler per link, set before the link is used. */
  onStream(link: MeshLink, accept: (stream: MeshStream) => void): void
}
