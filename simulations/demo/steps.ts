import { attacksRefused } from './attacks-refused.ts'
import { blockedSite } from './blocked-site.ts'
import { cutOff } from './cut-off.ts'
import { enrolment } from './enrolment.ts'
import { everySiteAnswers } from './every-site.ts'
import { killedContainer } from './killed-container.ts'
import { placement } from './placement.ts'
import { powerCut } from './power-cut.ts'
import { fromSibling } from './sibling.ts'
import type { DemoStep } from './step.ts'
import { conflictSettled, twoChanges } from './two-changes.ts'
import { upgrade } from './upgrade.ts'
import { withheldBySouth } from './withheld.ts'

/** In this order: each begins with what the one before it left. */
export const demoSteps: readonly DemoStep[] = [
  enrolment,
  placement,
  everySiteAnswers,
  killedContainer,
  cutOff,
  twoChanges,
  conflictSettled,
  upgrade,
  blockedSite,
  attacksRefused,
  withheldBySouth,
  powerCut,
  fromSibling,
]
