import { namePattern, type Random, randomHex } from '../../../base/index.ts'
import { type Hash, type KeyId, toHex } from '../../../crdt/index.ts'

/**
 * A one-time token as text: `skj1_<issuer>_<host>_<secret>`. It names its issuer, so that a host shows it to nobody else,
 * and the one host it is for.
 */
export interface JoinToken {
  /** The first 32 digits of the id of the parent's key. */
  readonly issuer: string
  readonly host: string
  /** 32 hexadecimal digits. */
  readonly secret: string
}

const tokenPattern = /^skj1_([0-9a-f]{32})_([a-z0-9-]{1,63})_([0-9a-f]{32})$/

/** What a node asks of itself before it shows a token to its issuer: a member shows none. */
export const helloGuards = ['token-once'] as const
export type HelloGuard = (typeof helloGuards)[number]

export const issuerOf = (key: KeyId): string => key.slice(0, 32)

/** @param random chance of the system: the secret is drawn from it */
export const makeToken = (issuer: KeyId, host: string, random: Random): JoinToken => ({
  issuer: issuerOf(issuer),
  host,
  secret: randomHex(random, 16),
})

export const formatToken = ({ issuer, host, secret }: JoinToken): string => `skj1_${issuer}_${host}_${secret}`

/** Undefined for anything that is no token of this format. */
export const parseToken = (text: string): JoinToken | undefined => {
  const [, issuer, host, secret] = tokenPattern.exec(text.trim()) ?? []
  return issuer === undefined || host === undefined || secret === undefined || !namePattern.test(host)
    ? undefined
    : { issuer, host, secret }
}

/** What the issuer keeps of a token: 64 hexadecimal digits. */
export const tokenHash = (token: JoinToken, hash: Hash): string =>
  toHex(hash.sha256(Buffer.from(`skerry/join-token/1\n${formatToken(token)}`)))

/** Whether two texts of one length are equal, in a time that says nothing about where they differ. */
export const isSameHash = (a: string, b: string): boolean => {
  if (a.length !== b.length) return false
  let differing = 0
  for (let at = 0; at < a.length; at++) differing |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return differing === 0
}
