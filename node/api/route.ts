import type { ZodType } from 'zod'
import type { Operation } from './authorizer.ts'
import type { Query, QueryKey } from './query.ts'
import type { ApiServices, Asked, ConfigText } from './services.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What a route answers. */
export type Answer =
  | { readonly kind: 'object'; readonly value: object; readonly status?: number; readonly etag?: string }
  | { readonly kind: 'list'; readonly items: readonly object[]; readonly key: string }
  | { readonly kind: 'bytes'; readonly mediaType: string; readonly chunks: AsyncIterable<Uint8Array> }

export interface RouteContext<Body> {
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
  readonly asked: Asked
  readonly ifMatch?: string
  readonly services: ApiServices
}

/** What a body may be: nothing, a specification passed on as text, a stream of bytes, or data of a schema. */
export type BodyKind = 'none' | 'text' | 'stream' | ZodType

/** One line of the API: everything general (who may, parameters, projection, media types, errors) is done around it. */
export interface Route {
  readonly method: Method
  /** Like `/v1/config/applications/{name}`. */
  readonly path: string
  readonly summary: string
  readonly operation: Operation
  readonly query: readonly QueryKey[]
  readonly required?: readonly QueryKey[]
  readonly body: BodyKind
  /** How long the handler may take; 0 when it ends by itself or with its client, in milliseconds. @default 30_000 */
  readonly timeoutMs?: number
  /** Bound of the body where the general one does not fit. @default 1 MiB */
  readonly bodyBytes?: number
  /** The kind of configuration whose schema describes body and answer. */
  readonly document?: string
  /** True where an operation answers with a list; a list that is read takes `keys`. */
  readonly answersList?: boolean
  readonly handle: (context: RouteContext<unknown>) => Promise<Answer>
}

type Given<Kind extends BodyKind> = Kind extends 'none'
  ? undefined
  : Kind extends 'text'
    ? ConfigText
    : Kind extends 'stream'
      ? AsyncIterable<Uint8Array>
      : Kind extends ZodType<infer Value>
        ? Value
        : never

/** Makes a route whose handler gets its body typed. The body was read by `body` before `handle` is called. */
export const route = <Kind extends BodyKind>(
  given: Omit<Route, 'handle' | 'body'> & {
    readonly body: Kind
    readonly handle: (context: RouteContext<Given<Kind>>) => Promise<Answer>
  },
): Route => ({ ...given, handle: (context) => given.handle(context as RouteContext<Given<Kind>>) })

export const listQuery = ['fields', 'keys', 'count'] as const satisfies readonly QueryKey[]

export const object = (value: object, extra: { status?: number; etag?: string } = {}): Answer => ({
  kind: 'object',
  value,
  ...extra,
})

export const list = (items: readonly object[], key = 'name'): Answer => ({ kind: 'list', items, key })
