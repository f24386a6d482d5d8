const namePart = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/
const prefixPart = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/

/** What is wrong with a label key, or undefined: an optional DNS prefix and a slash, then a name of 63 characters. */
export const labelKeyProblem = (key: string): string | undefined => {
  const slash = key.indexOf('/')
  const prefix = slash < 0 ? undefined : key.slice(0, slash)
  if (prefix !== undefined && !prefixPart.test(prefix))
    return `${JSON.stringify(prefix.slice(0, 80))} before the slash is not a DNS name`
  if (!namePart.test(key.slice(slash + 1)))
    return 'a label is letters, digits, inner dots, dashes and underscores, at most 63 characters'
  return undefined
}

/** True for keys only the system gives: `system/name`, `system/type`. */
export const isReservedLabel = (key: string): boolean => key.startsWith('system/')

const valueLimit = 256

/** What is wrong with a label's value, or undefined. */
export const labelValueProblem = (value: string): string | undefined => {
  if (value.length > valueLimit) return `a label holds at most ${valueLimit} characters`
  if (/\p{Cc}|\p{Cs}/u.test(value)) return 'a label holds no control characters'
  return undefined
}
