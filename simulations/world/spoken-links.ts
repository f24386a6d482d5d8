import type { StreamLink } from '../../mesh/index.ts'

/** A stream of a link that is up, and what its process said on it last: all that somebody needs who speaks in its name. */
export interface SpokenStream {
  /** The machine at the other end. */
  readonly to: string
  readonly purpose: string
  /** The last messages, oldest first. */
  readonly said: readonly Uint8Array[]
  /** Sends one message among those of the process; what goes wrong is nobody's business. */
  say(message: Uint8Array): void
}

export interface SpokenLink {
  readonly link: StreamLink
  readonly streams: () => readonly SpokenStream[]
  /** Opens a stream that the process knows nothing of; undefined when the link is gone. */
  readonly open: (purpose: string) => Promise<SpokenStream | undefined>
}

/** Older streams are forgotten: a question opens one each. */
const mostStreams = 32
const mostSaid = 8
const longestSaid = 64 * 1024

type Stream = Awaited<ReturnType<StreamLink['openStream']>>

/** The same link, whose streams are kept in sight. @param to name of the machine at the other end */
export const keepInSight = (inner: StreamLink, to: string): SpokenLink => {
  const streams: SpokenStream[] = []
  const see = (stream: Stream): { readonly stream: Stream; readonly spoken: SpokenStream } => {
    const said: Uint8Array[] = []
    const spoken: SpokenStream = {
      to,
      purpose: stream.purpose,
      said,
      say: (message) => void stream.send(message).catch(() => {}),
    }
    streams.push(spoken)
    if (streams.length > mostStreams) streams.shift()
    const send = (message: Uint8Array) => {
      if (message.length <= longestSaid) said.push(new Uint8Array(message))
      if (said.length > mostSaid) said.shift()
      return stream.send(message)
    }
    return { stream: { ...stream, send }, spoken }
  }
  return {
    link: {
      ...inner,
      openStream: async (purpose, options) => see(await inner.openStream(purpose, options)).stream,
      onStream: (accept) => inner.onStream((stream) => accept(see(stream).stream)),
    },
    streams: () => streams,
    open: (purpose) =>
      inner.openStream(purpose).then(
        (stream) => see(stream).spoken,
        () => undefined,
      ),
  }
}
