import { connect } from 'node:net'
import type { ProbeRunner } from './prober.ts'
import type { ProbeAnswer } from './probes.ts'

// An import of node:http would load all it exports, WebSocket and with it Node's fetch: 14 MB resident on every edge.
const { get } = process.getBuiltinModule('node:http')

const failed = (detail: string): ProbeAnswer => ({ ok: false, detail })

/** Probes over the machine's own network. HTTP: a status from 200 to 399 is a success (the rule of Kubernetes). */
export const createNetProbes = (): ProbeRunner => ({
  http: ({ host, port, path, timeoutMs }) =>
    new Promise((resolve) => {
      const late = setTimeout(() => end(failed(`no answer within ${timeoutMs} ms`)), timeoutMs)
      const request = get({ host, port, path, agent: false, headers: { 'user-agent': 'skerry-probe' } }, (response) => {
        const status = response.statusCode ?? 0
        end({ ok: status >= 200 && status < 400, detail: `status ${status}` })
      })
      const end = (answer: ProbeAnswer) => {
        clearTimeout(late)
        request.destroy()
        resolve(answer)
      }
      request.on('error', (error) => end(failed(error.message)))
    }),
  tcp: ({ host, port, timeoutMs }) =>
    new Promise((resolve) => {
      const socket = connect({ host, port })
      const end = (answer: ProbeAnswer) => {
        socket.destroy()
        resolve(answer)
      }
      socket.setTimeout(timeoutMs, () => end(failed(`no answer within ${timeoutMs} ms`)))
      socket.on('connect', () => end({ ok: true, detail: 'connected' }))
      socket.on('error', (error) => end(failed(error.message)))
    }),
})
