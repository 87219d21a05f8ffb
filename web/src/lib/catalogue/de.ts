import type { Translation } from "../text";
export const de: Translation = {};
