import type { Caller } from './services.ts'

export type Operation = 'read' | 'create' | 'update' | 'delete' | 'execute'

/** What is known of a request before anything of it is read but its head. */
export interface AuthorizationRequest {
  readonly method: string
  /** Path without the query. */
  readonly path: string
  readonly operation: Operation
  /** The bearer token as it came, unverified. */
  readonly token?: string
  /** `socket` is the loopback socket that only its owner and root of this host can open. */
  readonly via: 'socket' | 'https'
}

export type Authorization =
  | ({ readonly ok: true } & Caller)
  | { readonly ok: false; readonly status: 401 | 403; readonly message: string }

/** The one place that says who may do what. Asked once per request, before its body is read. */
export interface Authorizer {
  authorize(request: AuthorizationRequest): Authorization | Promise<Authorization>
}
