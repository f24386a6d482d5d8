import * as z from 'zod'
import { checkedText, closedObject, nameText } from './field-checks.ts'
import { refuseExpression } from './placement.ts'
import { notYet } from './unsupported-fields.ts'

const placement = z
  .union([
    z.literal('all-sites'),
    closedObject({
      'all-sites': z.literal(true).optional(),
      'match-site-labels': checkedText((text) => refuseExpression(text)).optional(),
    }),
  ])
  .transform((written) => (written === 'all-sites' ? { 'all-sites': true as const } : written))
  .refine((written) => (written['all-sites'] === undefined) !== (written['match-site-labels'] === undefined), {
    error: 'needs exactly one of all-sites and match-site-labels',
  })

/** A deployment as people write it: which application goes to which sites. */
export const deploymentSchema = closedObject(
  {
    name: nameText,
    application: nameText,
    /** `*` follows the newest version. */
    'application-version': checkedText((text) =>
      text === '*' || /^[a-zA-Z0-9\-.+]{1,64}$/.test(text)
        ? undefined
        : {
            message: `${JSON.stringify(text.slice(0, 80))} is not a version`,
            suggestion: 'write a version, or "*" for the newest',
          },
    ).default('*'),
    placement,
  },
  notYet.deployment,
)

export type DeploymentSpec = z.output<typeof deploymentSchema>
