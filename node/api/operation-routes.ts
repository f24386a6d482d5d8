import * as z from 'zod'
import { parseDurationMs, versionPattern } from '../../base/index.ts'
import { list, listQuery, object, type Route, route } from './route.ts'
import type { ExecOutcome } from './services.ts'
import { askedState } from './state-routes.ts'
import type { ExecView } from './views.ts'

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

const execView = (outcome: ExecOutcome): ExecView => ({
  'exit-code': outcome.exitCode,
  stdout: base64(outcome.stdout),
  stderr: base64(outcome.stderr),
  truncated: outcome.truncated,
})

const longestExecMs = 3_600_000
const usualExecMs = 60_000
/** What a command may take to be forwarded and answered, over its own time, in milliseconds. */
const forwardingMs = 30_000

const durationMs = z.string().transform((text, context) => {
  try {
    const ms = parseDurationMs(text)
    if (ms >= 1_000 && ms <= longestExecMs) return ms
  } catch {
    // told below
  }
  context.addIssue({ code: 'custom', message: 'must be a duration from 1s to 1h, like 10m30s' })
  return z.NEVER
})

const execBody = z.strictObject({
  container: z.string().max(63).optional().meta({ description: 'needed where the instance has several' }),
  cmd: z
    .array(z.string().max(65_536))
    .min(1)
    .max(1_000)
    .meta({ description: 'program and arguments, without a shell' }),
  timeout: durationMs.optional().meta({ description: 'a duration like 10m30s, at most 1h [default: 1m]' }),
})

const rollbackBody = z.strictObject({
  'to-version': z
    .string()
    .regex(versionPattern, 'must be a version')
    .optional()
    .meta({ description: 'the version to go back to [default: the one before]' }),
})

const noTail = 64 * 2 ** 20

/** What does something, or moves bytes. */
export const operationRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v1/state/application-deployments/{name}/rollback',
    summary: 'Go back to an earlier application version',
    operation: 'execute',
    query: [],
    body: rollbackBody,
    handle: async ({ services, asked, params, body }) => {
      const toVersion = body['to-version']
      return object(
        await services.operations.rollback(params.name ?? '', {
          ...asked,
          ...(toVersion !== undefined && { toVersion }),
        }),
      )
    },
  }),
  route({
    method: 'GET',
    path: '/v1/state/images',
    summary: 'The images held',
    operation: 'read',
    query: [...listQuery, 'site'],
    body: 'none',
    handle: async (context) => list(await context.services.images.list(askedState(context))),
  }),
  route({
    method: 'POST',
    path: '/v1/state/images',
    summary: 'Import every image of an OCI archive (a tar file, sent as it is)',
    operation: 'create',
    query: [],
    body: 'stream',
    timeoutMs: 0,
    handle: async ({ services, asked, body }) => list(await services.images.import(body, asked)),
  }),
  route({
    method: 'POST',
    path: '/v1/state/service-instances/{instance}/exec',
    summary: 'Run a command in a container; stdout and stderr come back as base64',
    operation: 'execute',
    query: ['site'],
    body: execBody,
    timeoutMs: longestExecMs + forwardingMs,
    handle: async (context) => {
      const { services, params, body } = context
      const outcome = await services.operations.exec(params.instance ?? '', {
        ...askedState(context),
        args: body.cmd,
        timeoutMs: body.timeout ?? usualExecMs,
        ...(body.container !== undefined && { container: body.container }),
      })
      return object(execView(outcome))
    },
  }),
  route({
    method: 'GET',
    path: '/v1/state/service-instances/{instance}/logs',
    summary: 'What a container wrote, as it wrote it',
    operation: 'read',
    query: ['site', 'container', 'tail-bytes', 'follow'],
    body: 'none',
    timeoutMs: 0,
    handle: async (context) => {
      const { services, params, query } = context
      const chunks = await services.operations.logs(params.instance ?? '', {
        ...askedState(context),
        tailBytes: query['tail-bytes'] ?? noTail,
        follow: query.follow ?? false,
        ...(query.container !== undefined && { container: query.container }),
      })
      return { kind: 'bytes', mediaType: 'text/plain; charset=utf-8', chunks }
    },
  }),
]
