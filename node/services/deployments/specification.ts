import * as z from 'zod'
import {
  checkedText,
  closedObject,
  durationText,
  environmentName,
  fileNameText,
  imageText,
  mountPathText,
  nameText,
  plainText,
  sizeText,
  userText,
  versionText,
} from './field-checks.ts'
import { parsePortRanges } from './port-ranges.ts'
import { notYet } from './unsupported-fields.ts'

const portNumber = z.int().min(1).max(65_535)
const argumentList = z.array(plainText).min(1).max(256)

const probe = closedObject({
  exec: closedObject({ cmd: argumentList }).optional(),
  http: closedObject({
    port: portNumber,
    /** @default '/' */
    path: checkedText((text) =>
      /^\/[\x21-\x7e]{0,1023}$/.test(text)
        ? undefined
        : { message: 'is not the path of an HTTP request', suggestion: 'begin with / and write it without spaces' },
    ).optional(),
  }).optional(),
  tcp: closedObject({ port: portNumber }).optional(),
  'initial-delay': durationText('0s', '1h').optional(),
  period: durationText('1s', '1h').optional(),
  timeout: durationText('1s', '10m').optional(),
  'failure-threshold': z.int().min(1).max(1_000).optional(),
  'success-threshold': z.int().min(1).max(1_000).optional(),
})

const mount = closedObject({
  'volume-name': nameText,
  'mount-path': mountPathText.optional(),
  files: z
    .array(closedObject({ name: fileNameText, 'mount-path': mountPathText }))
    .min(1)
    .max(64)
    .optional(),
})

/** Thousandths of one core as text or number: `0.2`, `"1.5"`. */
const cpus = z
  .unknown()
  .superRefine((value, context) => {
    const cores = typeof value === 'string' && /^\d+(\.\d{1,3})?$/.test(value) ? Number(value) : value
    const fits = typeof cores === 'number' && cores >= 0.01 && cores <= 1024
    if (!fits)
      context.addIssue({
        code: 'custom',
        message: `${JSON.stringify(value)} is not a number of cores`,
        params: { suggestion: 'write 0.01 to 1024, like 0.2' },
      })
  })
  .transform((value) => Number(value))

const container = closedObject(
  {
    name: nameText,
    image: imageText,
    entrypoint: argumentList.optional(),
    cmd: z.array(plainText).max(256).optional(),
    env: z.record(environmentName, plainText).optional(),
    user: userText.optional(),
    /** At least what a container needs to start at all; runc itself needs a few MiB. */
    memory: sizeText('6MiB', '64TiB').optional(),
    cpus: cpus.optional(),
    mounts: z.array(mount).max(64).optional(),
    probes: closedObject({
      startup: probe.optional(),
      readiness: probe.optional(),
      liveness: probe.optional(),
    }).optional(),
    'shutdown-timeout': durationText('0s', '1h').optional(),
    'container-log-size': sizeText('16KiB', '10GiB').optional(),
  },
  notYet.container,
)

const configItems = z
  .array(closedObject({ name: fileNameText, data: plainText }))
  .min(1)
  .max(64)

const volume = closedObject(
  {
    name: nameText,
    // Both shapes are in use; the list alone is the older one.
    'config-map': z
      .union([configItems, closedObject({ items: configItems })])
      .transform((written) => (Array.isArray(written) ? { items: written } : written)),
  },
  notYet.volume,
)

const portRanges = z
  .unknown()
  .superRefine((value, context) => {
    const ranges = parsePortRanges(value)
    if ('message' in ranges)
      context.addIssue({ code: 'custom', message: ranges.message, params: { suggestion: ranges.suggestion } })
  })
  .transform((value) => String(value))

const network = closedObject(
  {
    'ingress-ip-per-instance': closedObject(
      {
        protocols: z
          .array(closedObject({ name: z.enum(['tcp', 'udp']), 'port-ranges': portRanges }))
          .min(1)
          .max(2),
        access: closedObject(
          {
            'allow-all': z.boolean().refine((open) => open, 'false is not supported yet'),
          },
          notYet.access,
        ),
      },
      notYet.ingress,
    ).optional(),
  },
  notYet.network,
)

const service = closedObject(
  {
    name: nameText,
    /** @default 'replicated' */
    mode: z.enum(['replicated', 'one-per-matching-host']).optional(),
    /** @default 1 */
    replicas: z.int().min(0).max(100).optional(),
    volumes: z.array(volume).max(64).optional(),
    containers: z.array(container).min(1).max(32),
    network: network.optional(),
  },
  notYet.service,
)

const labelName = z
  .string()
  .regex(/^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, 'is not a label')
  .refine((name) => !name.startsWith('system/'), 'labels under system/ are set by the system')

/** An application as people write it, checked field by field; `checkApplication` checks what spans fields. */
export const applicationSchema = closedObject(
  {
    name: nameText,
    version: versionText.optional(),
    labels: z.record(labelName, plainText).optional(),
    services: z.array(service).min(1).max(64),
  },
  notYet.application,
)

export type ApplicationSpec = z.output<typeof applicationSchema>
export type ServiceSpec = ApplicationSpec['services'][number]
export type ContainerFields = ServiceSpec['containers'][number]
export type ProbeFields = z.output<typeof probe>
export type MountFields = z.output<typeof mount>
