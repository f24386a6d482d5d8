import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Log, silentLog } from '../../../base/index.ts'
import { systemClock } from '../../powers/index.ts'
import { type Api, type ApiOptions, createApi } from '../fastify-api.ts'
import type { ApiServices } from '../services.ts'
import { createSingleTokenAuthorizer } from '../single-token-authorizer.ts'
import { createMemoryServices } from './memory-services.ts'

export interface MemoryApi {
  readonly api: Api
  readonly token: string
  readonly tokenFile: string
  /** Folder of its own, removed by `close`. */
  readonly dir: string
  close(): Promise<void>
}

/** A real API, with its socket and its HTTPS port on this machine, over services in memory. */
export const openMemoryApi = async (
  given: { readonly services?: ApiServices; readonly options?: Partial<ApiOptions>; readonly log?: Log } = {},
): Promise<MemoryApi> => {
  const dir = mkdtempSync(join(tmpdir(), 'skerry-api-'))
  const token = 'a-token-for-tests-of-at-least-32-characters'
  const tokenFile = join(dir, 'token')
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 })
  const remove = () => rmSync(dir, { recursive: true, force: true })
  const api = await createApi(
    {
      name: 'tower',
      version: '0.0.0',
      socketPath: join(dir, 'api.sock'),
      address: '127.0.0.1',
      port: 0,
      certificateDir: join(dir, 'certificate'),
      ...given.options,
    },
    {
      services: given.services ?? createMemoryServices(),
      authorizer: createSingleTokenAuthorizer({ token }),
      clock: systemClock,
      log: given.log ?? silentLog,
    },
  ).catch((error: unknown) => {
    remove()
    throw error
  })
  const close = async () => {
    await api.stop()
    remove()
  }
  return { api, token, tokenFile, dir, close }
}
