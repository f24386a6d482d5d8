/** True for `v24.12.0` and later. */
export declare const isNewEnough: (version: string) => boolean
