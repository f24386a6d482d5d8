import { request } from 'node:http'
import type { Answer } from './change-ledger.ts'

const answerWithinMs = 60_000
/** A socket that nobody listens at: the request did not get anywhere. */
const unreached = new Set(['ECONNREFUSED', 'ENOENT'])

/**
 * Asks a node for one change over its own socket, which serves whoever may open it.
 * @returns what that says of the change, and why where it was not acknowledged. Never throws
 */
export const askChange = (
  socketPath: string,
  method: 'PUT' | 'POST' | 'DELETE',
  path: string,
  body?: { readonly mediaType: string; readonly text: string },
): Promise<{ readonly answer: Answer; readonly why?: string }> =>
  new Promise((resolve) => {
    const headers = { accept: 'application/json', ...(body && { 'content-type': body.mediaType }) }
    const asked = request({ socketPath, method, path, headers, timeout: answerWithinMs, agent: false }, (response) => {
      const status = response.statusCode ?? 0
      const parts: Buffer[] = []
      response.on('data', (bytes: Buffer) => parts.push(bytes))
      response.on('error', (error) => resolve({ answer: 'unknown', why: error.message }))
      response.on('end', () => {
        const why = `${status} ${Buffer.concat(parts).toString().slice(0, 200)}`
        if (status >= 200 && status < 300) resolve({ answer: 'acknowledged' })
        // Only a refusal of what was asked says that nothing was done.
        else resolve({ answer: status >= 400 && status < 500 ? 'refused' : 'unknown', why })
      })
    })
    asked.on('timeout', () => asked.destroy(new Error(`no answer in ${answerWithinMs / 1000} s`)))
    asked.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ answer: unreached.has(error.code ?? '') ? 'refused' : 'unknown', why: error.message }),
    )
    asked.end(body?.text)
  })
