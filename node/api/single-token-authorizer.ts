import { createHash, timingSafeEqual } from 'node:crypto'
import { SkerryError } from '../../base/index.ts'
import type { Authorizer } from './authorizer.ts'

const digestOf = (text: string): Uint8Array => createHash('sha256').update(text).digest()

/**
 * One bearer token and one built-in tenant: whoever has the token, or can open the socket, may do everything.
 * Keeps only the token's hash.
 * @throws {SkerryError} `bad-token` when the token is shorter than 32 characters
 */
export const createSingleTokenAuthorizer = (options: {
  readonly token: string
  /** @default system */
  readonly tenant?: string
}): Authorizer => {
  if (options.token.length < 32)
    throw new SkerryError('bad-token', 'the bearer token of the API is too short: use at least 32 random characters')
  const wanted = digestOf(options.token)
  const tenant = options.tenant ?? 'system'
  return {
    authorize: ({ via, token }) => {
      if (via === 'socket') return { ok: true, tenant, user: 'host' }
      if (token === undefined)
        return { ok: false, status: 401, message: 'a bearer token is needed: send "Authorization: Bearer TOKEN"' }
      // Hashes have one length and are compared in constant time, so neither length nor prefix of the token leaks.
      if (!timingSafeEqual(digestOf(token), wanted))
        return { ok: false, status: 401, message: 'this bearer token is not valid here' }
      return { ok: true, tenant, user: 'token' }
    },
  }
}
