import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import * as z from 'zod'
import { errorText, SkerryError } from '../../base/index.ts'

const nodeSchema = z.object({
  name: z.string(),
  role: z.string(),
  site: z.string().optional(),
  endpoint: z.string(),
  fingerprint: z.string().optional(),
})

const schema = z.object({
  version: z.literal(1),
  endpoint: z.string(),
  fingerprint: z.string().optional(),
  'token-file': z.string().optional(),
  nodes: z.array(nodeSchema).default([]),
})

/** How to reach the tree that `skerry up` made: what commands use when they are told nothing else. */
export type Profile = z.infer<typeof schema>

/** `SKERRY_HOME`, or `.skerry` in the folder we are in. */
export const defaultHome = (env: Readonly<Record<string, string | undefined>>, cwd: string): string =>
  resolve(cwd, env.SKERRY_HOME || '.skerry')

export const profilePath = (home: string): string => join(home, 'cli.json')

/**
 * The profile of a home, or undefined when there is none.
 * @throws {SkerryError} `bad-profile` when the file is not one of ours
 */
export const readProfile = (home: string): Profile | undefined => {
  const path = profilePath(home)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
  try {
    const profile = schema.parse(JSON.parse(text))
    const tokenFile = profile['token-file']
    if (tokenFile === undefined || isAbsolute(tokenFile)) return profile
    return { ...profile, 'token-file': resolve(dirname(path), tokenFile) }
  } catch (error) {
    throw new SkerryError('bad-profile', `${path} cannot be read: write it anew with "skerry up"`, {
      cause: errorText(error),
    })
  }
}

/** Writes the profile in one step, mode 600. */
export const writeProfile = (home: string, profile: Profile): void => {
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const next = `${profilePath(home)}.next`
  const file = openSync(next, 'w', 0o600)
  writeSync(file, `${JSON.stringify(schema.parse(profile), null, 2)}\n`)
  fsyncSync(file)
  closeSync(file)
  renameSync(next, profilePath(home))
}
