/** The value of a state file as its bytes lie on a disk; undefined for what is none. */
export const readStateFile = <Value>(bytes: Uint8Array | string): Value | undefined => {
  const whole: unknown = JSON.parse(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8'))
  // With the sum that guards it, as `node/powers/state-file.ts` writes it.
  return typeof whole === 'object' && whole !== null && 'value' in whole ? (whole.value as Value) : undefined
}
