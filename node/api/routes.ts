import { authorityRoutes } from './authority-routes.ts'
import { configRoutes } from './config-routes.ts'
import { conflictRoutes } from './conflict-routes.ts'
import { memberRoutes } from './member-routes.ts'
import { operationRoutes } from './operation-routes.ts'
import type { Route } from './route.ts'
import { stateRoutes } from './state-routes.ts'

/** The whole API as a table. */
export const routes: readonly Route[] = [
  ...configRoutes,
  ...stateRoutes,
  ...conflictRoutes,
  ...operationRoutes,
  ...memberRoutes,
  ...authorityRoutes,
]
