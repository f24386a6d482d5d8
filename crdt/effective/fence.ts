import { compareFences, type Fence } from '../authority/index.ts'

export const highestFence = (a: Fence, b: Fence): Fence => (compareFences(a, b) >= 0 ? a : b)
