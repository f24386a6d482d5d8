import * as z from 'zod'
import type { ConfigKind } from './api/index.ts'
import { applicationSchema, deploymentSchema } from './services/deployments/index.ts'

/** JSON schemas of what people write, for the OpenAPI document; loaded when somebody asks for it. */
export const documentSchemas = (): Readonly<Record<ConfigKind, object>> => ({
  applications: z.toJSONSchema(applicationSchema, { unrepresentable: 'any', io: 'input' }),
  'application-deployments': z.toJSONSchema(deploymentSchema, { unrepresentable: 'any', io: 'input' }),
})
