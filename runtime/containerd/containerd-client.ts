import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'
import { loadSync, type MethodDefinition } from '@grpc/proto-loader'
import type { Clock } from '../../base/index.ts'
import type { StreamCalls, UnaryCalls, WriteRequest } from './containerd-calls.ts'

/** Service names as the protocol spells them, by the short names used here. */
const services = {
  containers: 'containerd.services.containers.v1.Containers',
  tasks: 'containerd.services.tasks.v1.Tasks',
  images: 'containerd.services.images.v1.Images',
  content: 'containerd.services.content.v1.Content',
  snapshots: 'containerd.services.snapshots.v1.Snapshots',
  leases: 'containerd.services.leases.v1.Leases',
  namespaces: 'containerd.services.namespaces.v1.Namespaces',
  events: 'containerd.services.events.v1.Events',
  version: 'containerd.services.version.v1.Version',
  diff: 'containerd.services.diff.v1.Diff',
  introspection: 'containerd.services.introspection.v1.Introspection',
} as const

type Method = MethodDefinition<object, object>

/** Reads the protocol files beside this module (a bundle keeps them in a folder `protos` beside itself). */
const loadMethods = (): ReadonlyMap<string, Method> => {
  const directory = fileURLToPath(new URL('./protos', import.meta.url))
  const definitions = loadSync(
    Object.keys(services).map((name) => `${name}.proto`),
    { includeDirs: [directory], longs: Number, enums: String, defaults: true, keepCase: false },
  )
  const methods = new Map<string, Method>()
  for (const [short, name] of Object.entries(services))
    for (const [method, definition] of Object.entries(definitions[name] ?? {}))
      methods.set(`${short}.${method.charAt(0).toLowerCase()}${method.slice(1)}`, definition as Method)
  return methods
}
let methods: ReadonlyMap<string, Method> | undefined

/** Refusals of containerd that decide what happens next; everything else is `unknown`. */
export type EngineErrorKind = 'not-found' | 'already-exists' | 'precondition' | 'unavailable' | 'timeout' | 'unknown'

/** What containerd answered, or that it did not. */
export class EngineError extends Error {
  readonly kind: EngineErrorKind
  constructor(kind: EngineErrorKind, message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}

export const isKind = (error: unknown, ...kinds: readonly EngineErrorKind[]): boolean =>
  error instanceof EngineError && kinds.includes(error.kind)

/** Passes over one kind of refusal: `await call(…).catch(unless('not-found'))`. */
export const unless =
  (...kinds: readonly EngineErrorKind[]) =>
  (error: unknown): undefined => {
    if (!isKind(error, ...kinds)) throw error
  }

/** Codes of gRPC (grpc.github.io/grpc/core/md_doc_statuscodes.html). */
const kinds: Readonly<Record<number, EngineErrorKind>> = {
  [grpc.status.NOT_FOUND]: 'not-found',
  [grpc.status.ALREADY_EXISTS]: 'already-exists',
  [grpc.status.FAILED_PRECONDITION]: 'precondition',
  [grpc.status.UNAVAILABLE]: 'unavailable',
  [grpc.status.DEADLINE_EXCEEDED]: 'timeout',
}

const engineError = (name: string, error: unknown, timedOut: boolean): EngineError => {
  const { code = grpc.status.UNKNOWN, details } = error as Partial<grpc.ServiceError>
  const words = details || String((error as Error).message ?? error)
  if (timedOut) return new EngineError('timeout', `containerd did not answer ${name} in time`, error)
  return new EngineError(kinds[code] ?? 'unknown', words, error)
}

/** A cancelled stream still reports its end as an error, when nobody reads it any more. */
const ignoreLateError = (stream: NodeJS.EventEmitter) => stream.on('error', () => {})

export interface CallOptions {
  readonly namespace?: string
  readonly lease?: string
  /** @default 20,000 ms; 0 waits for ever */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

/** containerd's API over its socket: one connection, made anew by itself after a loss. */
export interface ContainerdClient {
  /** @throws {EngineError} with containerd's words. Aborting cancels the call; what it did may stay done. */
  call<Name extends keyof UnaryCalls>(
    name: Name,
    request: UnaryCalls[Name][0],
    options?: CallOptions,
  ): Promise<UnaryCalls[Name][1]>
  /** Messages of a stream as they come. @throws {EngineError} when it breaks. */
  stream<Name extends keyof StreamCalls>(
    name: Name,
    request: StreamCalls[Name][0],
    options?: CallOptions,
  ): AsyncIterable<StreamCalls[Name][1]>
  /** Sends `requests` one by one to the content store, each after the answer to the one before. */
  write(requests: AsyncIterable<WriteRequest>, options?: CallOptions): Promise<void>
  close(): void
}

export const connectContainerd = (socket: string, clock: Clock): ContainerdClient => {
  methods ??= loadMethods()
  const client = new grpc.Client(`unix:${socket}`, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.default_authority': 'localhost',
    // Nodes of one process that talk to engines at different times must not share a connection that gave up.
    'grpc.use_local_subchannel_pool': 1,
  })
  const metadataOf = ({ namespace, lease }: CallOptions) => {
    const metadata = new grpc.Metadata()
    if (namespace !== undefined) metadata.set('containerd-namespace', namespace)
    if (lease !== undefined) metadata.set('containerd-lease', lease)
    return metadata
  }
  let closed = false
  const methodOf = (name: string): Method => {
    if (closed) throw new EngineError('unavailable', `the connection to containerd was closed before ${name}`)
    const method = methods?.get(name)
    if (!method) throw new TypeError(`containerd's protocol files do not name ${name}`)
    return method
  }
  /** Cancels `call` on abort or when `timeoutMs` passed; says afterwards which it was. */
  const guard = (call: { cancel(): void }, { timeoutMs = 20_000, signal }: CallOptions) => {
    let timedOut = false
    const cancel = () => call.cancel()
    const timer =
      timeoutMs > 0
        ? clock.setTimer(timeoutMs, () => {
            timedOut = true
            call.cancel()
          })
        : undefined
    if (signal?.aborted) cancel()
    signal?.addEventListener('abort', cancel)
    return {
      end: () => {
        timer?.cancel()
        signal?.removeEventListener('abort', cancel)
      },
      error: (name: string, error: unknown): Error => {
        if (signal?.aborted) return signal.reason as Error
        return engineError(name, error, timedOut)
      },
    }
  }

  const call: ContainerdClient['call'] = (name, request, options = {}) =>
    new Promise((resolve, reject) => {
      const method = methodOf(name)
      const running = client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadataOf(options),
        {},
        (error, answer) => {
          guarded.end()
          if (error) reject(guarded.error(name, error))
          else resolve(answer as UnaryCalls[typeof name][1])
        },
      )
      const guarded = guard(running, options)
    })

  async function* stream<Name extends keyof StreamCalls>(
    name: Name,
    request: StreamCalls[Name][0],
    options: CallOptions = {},
  ): AsyncGenerator<StreamCalls[Name][1]> {
    const { path, requestSerialize, responseDeserialize } = methodOf(name)
    const metadata = metadataOf(options)
    const running = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, metadata, {})
    ignoreLateError(running)
    const guarded = guard(running, { timeoutMs: 0, ...options })
    try {
      for await (const message of running) yield message as StreamCalls[Name][1]
    } catch (error) {
      throw guarded.error(name, error)
    } finally {
      guarded.end()
      running.cancel()
    }
  }

  const write: ContainerdClient['write'] = async (requests, options = {}) => {
    const { path, requestSerialize, responseDeserialize } = methodOf('content.write')
    const running = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadataOf(options), {})
    ignoreLateError(running)
    const guarded = guard(running, { timeoutMs: 0, ...options })
    const answers = running[Symbol.asyncIterator]()
    try {
      for await (const request of requests) {
        running.write(request)
        const { done } = await answers.next().catch((error: unknown) => {
          throw guarded.error('content.write', error)
        })
        if (done) throw new EngineError('unknown', 'containerd ended the writing of a blob early')
      }
    } finally {
      guarded.end()
      running.end()
      running.cancel()
    }
  }

  const close = () => {
    closed = true
    client.close()
  }
  return { call, stream, write, close }
}
